// A tool of attackers, installed once into a folder of its own, and run to its end.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIST = join(dirname(fileURLToPath(import.meta.url)), 'requirements.txt');

/** Installs what the list says, unless it is there, and gives the folder of the programs. */
export function install(folder) {
  const mark = join(folder, 'installed');
  const wanted = readFileSync(LIST, 'utf8');
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
    console.log('installing the tools …');
    must('python3', ['-m', 'venv', folder]);
    must(join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', '-r', LIST]);
    writeFileSync(mark, wanted);
  }
  return join(folder, 'bin');
}

function must(program, options) {
  const { status, error } = spawnSync(program, options, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error?.code === 'ENOENT') throw new Error(`${program} is missing: the tools need Python 3.10 or newer with venv`);
  if (status !== 0) throw new Error(`${program} ${options.join(' ')} ended with ${status}`);
}

/** Runs a program; what it said, and how it ended. Stops it after so many seconds. */
export function run(program, options, { seconds, input = '' }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, options, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, PYTHONWARNINGS: 'ignore', NO_COLOR: '1' } });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    child.stderr.on('data', (text) => (said += text));
    child.stdin.end(input);
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ said, code, stopped: signal === 'SIGKILL' });
    });
  });
}
