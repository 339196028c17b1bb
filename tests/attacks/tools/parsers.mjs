// Every parser under random input: the properties of the crates, with more cases than `make test` plays.

import { run } from './tool.mjs';

const CRATES = ['domain', 'ingest', 'sms', 'push', 'platform', 'identity', 'audit'];
const ABOUT_INPUT = ['parser', 'reader', 'any_text', 'any_table', 'no_bytes', 'bytes', 'template_or_has_a_fault', 'no_text'];

export async function fuzzed(cases) {
  const program = process.env.CARGO ?? 'cargo';
  const env = { PROPTEST_CASES: String(cases) };
  Object.assign(process.env, env);
  const options = ['test', '--locked', ...CRATES.flatMap((crate) => ['-p', crate]), '--', ...ABOUT_INPUT];
  const { said, code } = await run(program, options, { seconds: 1800 });
  const passed = [...said.matchAll(/(\d+) passed; (\d+) failed/g)];
  const properties = passed.reduce((sum, [, ok]) => sum + Number(ok), 0);
  const failed = passed.reduce((sum, [, , bad]) => sum + Number(bad), 0);
  if (properties === 0) throw new Error(`no parser was tried:\n${said.slice(-4000)}`);
  if (code !== 0) console.log(said.slice(-8000));
  return { properties, inputs: properties * cases, failed };
}
