import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const SOURCE = new URL('../', import.meta.url).pathname;
const HAN = /\p{Script=Han}/u;
const STRING = String.raw`'(?:[^'\\]|\\.)*'|` + '`(?:[^`\\\\]|\\\\.)*`';
const said = new RegExp(String.raw`\bsay\(\s*(${STRING})\s*,\s*(${STRING})\s*\)`, 'g');
const paired = /\[\s*('(?:[^'\\]|\\.)*')\s*,\s*('(?:[^'\\]|\\.)*')\s*\]/g;
/** Words that English has no use for beside a number or a name. */
const onlyChinese = ['条', '行业'];

const words = (quoted: string) => quoted.slice(1, -1).replace(/\$\{[^}]*\}/g, '');
const pages = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((path) => /\.(svelte|ts)$/.test(path) && !path.endsWith('.test.ts') && !path.endsWith('schema.d.ts'));

test('every text of the pages stands there in both languages', () => {
  const wrong: string[] = [];
  let found = 0;
  for (const path of pages) {
    const source = readFileSync(`${SOURCE}${path}`, 'utf8');
    for (const pattern of [said, paired]) {
      for (const [, zh = '', en = ''] of source.matchAll(pattern)) {
        if (!HAN.test(words(zh))) continue;
        found += 1;
        if (HAN.test(words(en)) || (!en.slice(1, -1).trim() && !onlyChinese.includes(words(zh)))) wrong.push(`${path}: ${zh} ${en}`);
      }
    }
  }
  expect(found, 'texts were found').toBeGreaterThan(1500);
  expect(wrong).toEqual([]);
});
