// Every parameter of every reading route, and what signs in, under an injector of SQL (sqlmap).

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from './tool.mjs';

/** A value that the parameter takes, so that the injector gets past its form. */
function sample(parameter) {
  const schema = parameter.schema ?? {};
  const of = (one) => (Array.isArray(one?.type) ? one.type.find((type) => type !== 'null') : one?.type);
  if (parameter.example ?? schema.example) return parameter.example ?? schema.example;
  if (schema.enum) return schema.enum[0];
  if (schema.format === 'uuid') return '00000000-0000-7000-8000-000000000001';
  if (schema.format === 'date-time') return '2026-11-22T00:00:00Z';
  return { integer: 1, boolean: true }[of(schema)] ?? 'a';
}

/** Addresses with one parameter each: one that is refused keeps no other from being looked at. */
function addresses(document, url) {
  const found = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    if (!methods.get || /events|live|stream/.test(methods.get.operationId)) continue;
    const parameters = methods.get.parameters ?? [];
    const inPath = (marked) => path.replace(/\{(\w+)\}/g, (_, name) => {
      const parameter = parameters.find((one) => one.name === name) ?? { name };
      return encodeURIComponent(sample(parameter)) + (name === marked ? '*' : '');
    });
    for (const parameter of parameters) {
      if (parameter.in === 'path') found.push(url + inPath(parameter.name));
      if (parameter.in === 'query') found.push(`${url}${inPath()}?${parameter.name}=${encodeURIComponent(sample(parameter))}`);
    }
  }
  return found;
}

export async function injected(city, tools, tokens) {
  const document = await (await fetch(`${city.url}/openapi.json`)).json();
  const directory = mkdtempSync(join(tmpdir(), 'fenghuo-sqlmap-'));
  const common = ['--batch', '--disable-coloring', '--dbms', 'PostgreSQL', '--level', '2', '--risk', '2', '--threads', '4', '--output-dir', directory, '--answers', 'crack=N'];
  const tried = { parameters: 0, vulnerable: [] };
  try {
    const readers = [['city officer', tokens['city officer']], ['auditor', tokens['auditor']], ['resident', tokens['resident']]];
    for (const [who, token] of readers) {
      const list = join(directory, `${who.replace(' ', '-')}.txt`);
      const all = addresses(document, city.url);
      writeFileSync(list, all.join('\n'));
      const { said } = await run(join(tools, 'sqlmap'), ['-m', list, '--headers', `Authorization: Bearer ${token}`, ...common], { seconds: 900 });
      tally(tried, said, who);
    }
    const body = JSON.stringify({ login: 'command.one*', password: 'x*', cookie: false });
    const options = ['-u', `${city.url}/api/v1/session`, '--method', 'POST', '--data', body, '--headers', 'Content-Type: application/json', '--delay', '0', ...common];
    const { said } = await run(join(tools, 'sqlmap'), options, { seconds: 300 });
    tally(tried, said, 'signing in');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  if (tried.parameters === 0) throw new Error('sqlmap tried nothing');
  return tried;
}

function tally(tried, said, who) {
  tried.parameters += [...said.matchAll(/parameter '[^']*' (?:does not seem to be injectable|is vulnerable|appears to be)/g)].length;
  for (const [line] of said.matchAll(/^.*(?:is vulnerable|following injection point).*$/gm)) tried.vulnerable.push(`${who}: ${line}`);
}
