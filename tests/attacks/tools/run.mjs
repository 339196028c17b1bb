// What attackers use, against a demo city of its own on loopback. Ends by itself; says what was tried and what was found; fails if anything was.

import { join } from 'node:path';

import { callers, found } from './city.mjs';
import { fuzzed } from './parsers.mjs';
import { made } from './requests.mjs';
import { scanned } from './scan.mjs';
import { injected } from './sql.mjs';
import { install } from './tool.mjs';

const [binary, folder] = process.argv.slice(2);
const examples = Number(process.env.ATTACK_EXAMPLES ?? 25);
const cases = Number(process.env.ATTACK_CASES ?? 20_000);
/** What is tried, all of it unless some is named. */
const wanted = (process.env.ATTACK_WITH ?? 'requests,sql,pages,parsers').split(',');
const began = Date.now();
const lines = [];
let findings = 0;

function say(what, tried, bad) {
  findings += bad;
  const line = `${what.padEnd(42)} ${tried.padEnd(64)} found: ${bad}`;
  lines.push(line);
  console.log(line);
}

if (wanted.some((one) => one !== 'parsers')) {
  const tools = install(join(folder, 'tools'));
  const city = await found(binary);
  try {
    await attack(city, tools);
  } finally {
    await city.close();
  }
}
if (wanted.includes('parsers')) {
  const parsers = await fuzzed(cases);
  say('parsers under random input', `${parsers.properties} properties, ${parsers.inputs} inputs`, parsers.failed);
}
console.log(`\n${lines.join('\n')}\n\n${Math.round((Date.now() - began) / 1000)} s, found: ${findings}`);
process.exit(findings === 0 ? 0 : 1);

async function attack(city, tools) {
  if (wanted.includes('requests')) {
    const requests = await made(city, tools, await callers(city), examples);
    for (const { who, routes, requests: made, found: bad } of requests) say(`requests made up, by ${who}`, `${routes} routes, ${made} requests`, bad);
    const sum = requests.reduce((total, one) => total + one.requests, 0);
    say('requests made up, together', `${requests.length} kinds of caller, ${sum} requests`, 0);
  }
  if (wanted.includes('sql')) {
    const sql = await injected(city, tools, await callers(city));
    sql.vulnerable.forEach((line) => console.log(line));
    say('SQL injected', `${sql.parameters} parameters`, sql.vulnerable.length);
  }
  if (wanted.includes('pages')) {
    const pages = await scanned(city, tools, (await callers(city))['city officer']);
    pages.found.forEach((line) => console.log(line));
    say('pages scanned', `${pages.pages} pages`, pages.found.length);
  }
  const broken = city.log().split('\n').filter((line) => /\bERROR\b|panicked/.test(line));
  broken.slice(0, 20).forEach((line) => console.log(line));
  say('the log afterwards', 'lines that say ERROR or panicked', broken.length);
}
