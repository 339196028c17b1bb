// The city that is attacked: a demo of its own on loopback, with a session for every kind of caller.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Who tries what: one account of every role, a source, a screen, a resident, and somebody without anything. */
const STAFF = {
  'city officer': 'command.one',
  'district reviewer': 'review.500103',
  'submitting unit': 'unit.centre',
  'community worker': 'community.centre',
  'technical operator': 'operator',
  auditor: 'auditor',
  administrator: 'admin',
};

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function eventually(what, look, seconds = 180) {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > until) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(300);
  }
}

/** Starts the binary's demo and gives what the attackers need of it. */
export async function found(binary) {
  const directory = mkdtempSync(join(tmpdir(), 'fenghuo-attack-'));
  const address = `127.0.0.1:${await freePort()}`;
  const process = spawn(binary, ['up', '--data', join(directory, 'data'), '--listen', address, '--residents', '4000'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  process.stdout.on('data', (text) => (said += text));
  process.stderr.on('data', (text) => (said += text));
  const url = `http://${address}`;
  const ended = new Promise((resolve) => process.once('exit', resolve));
  const close = async () => {
    process.kill('SIGTERM');
    await Promise.race([ended, pause(20_000)]);
    process.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await eventually('the city is up', () => {
      if (process.exitCode !== null) throw new Error(`the city does not start: ${said}`);
      return said.includes('is up at');
    });
    const city = { url, directory, close, log: () => readFileSync(join(directory, 'data', 'fenghuo.log'), 'utf8') };
    // the demo city's first hour brings the last accounts, and alerts that can be asked for
    await eventually('the first hour has been played', async () => (await accounts(city)).some(({ login }) => login === 'screen'));
    return city;
  } catch (error) {
    await close();
    throw error;
  }
}

async function ask(city, path, options = {}) {
  const answer = await fetch(city.url + path, { ...options, headers: { 'x-fenghuo-request': '1', 'content-type': 'application/json', ...options.headers } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

const accounts = (city) => ask(city, '/demo/accounts');

/** The token of every kind of caller by its name; anew each time, since attackers may end what they use. */
export async function callers(city) {
  const known = await accounts(city);
  const account = (login) => known.find((one) => one.login === login) ?? fail(`the city has no ${login}`);
  const tokens = { 'somebody without a session': '' };
  for (const [role, login] of Object.entries(STAFF)) tokens[role] = await signIn(city, account(login));
  tokens['source'] = account('api-key').password;
  tokens['screen'] = account('screen').password;
  tokens['resident'] = await register(city);
  return tokens;
}

/** Signs in, with the second factor where there is one. */
async function signIn(city, { login, password, code }) {
  const begun = await ask(city, '/api/v1/session', { method: 'POST', body: JSON.stringify({ login, password, cookie: false }) });
  if (code) await ask(city, '/api/v1/session/proof', { method: 'POST', headers: { authorization: `Bearer ${begun.token}` }, body: JSON.stringify({ code }) });
  return begun.token;
}

/** Registers the next phone: of the one before, somebody may have had everything deleted. */
let registered = 0;
async function register(city) {
  const { phone } = (await ask(city, '/demo/phones'))[registered++];
  const known = (await ask(city, `/demo/sms?phone=${encodeURIComponent(phone)}`)).length;
  const { request } = await ask(city, '/api/v1/registration/code', { method: 'POST', body: JSON.stringify({ phone }) });
  const code = await eventually('a code by SMS', async () => {
    const texts = (await ask(city, `/demo/sms?phone=${encodeURIComponent(phone)}`)).slice(known);
    return texts.map((text) => /验证码 (\d{6})/.exec(text)?.[1]).find(Boolean);
  });
  const body = JSON.stringify({ phone, request, code });
  return (await ask(city, '/api/v1/registration', { method: 'POST', body })).token;
}

function fail(why) {
  throw new Error(why);
}
