// Requests made up from the description of the interface, by every kind of caller (schemathesis): nothing may be answered as broken, or otherwise than described.

import { join } from 'node:path';

import { run } from './tool.mjs';

/** What ends the caller's own session, and streams, which do not end by themselves. */
const LEFT_OUT = '^(session_sign_out|session_end_.*|session_change_password|.*events.*|.*live.*|.*stream.*|.*_resume|.*uploads_append|.*patch_upload)$';
const CHECKS = 'not_a_server_error,response_schema_conformance,content_type_conformance,unsupported_method,missing_required_header';

export async function made(city, tools, callers, examples) {
  const tried = [];
  for (const [who, token] of Object.entries(callers)) {
    const options = [
      '--no-color', 'run', `${city.url}/openapi.json`,
      ...(token ? ['-H', `Authorization: Bearer ${token}`] : []),
      '--exclude-operation-id-regex', LEFT_OUT, '--checks', CHECKS, '--phases', 'examples,coverage,fuzzing',
      '-n', String(examples), '--continue-on-failure', '--seed', '1', '--no-shrink', '--request-timeout', '30',
      '--warnings', 'off', '--suppress-health-check', 'all', '-w', '2',
    ];
    const { said, code, stopped } = await run(join(tools, 'st'), options, { seconds: 600 });
    const routes = Number(/Tested: (\d+)/.exec(said)?.[1] ?? 0);
    const requests = Number(/(\d+) generated/.exec(said)?.[1] ?? 0);
    const failures = [...said.matchAll(/^_+ (?:[A-Z]+ \/\S+) _+$/gm)].length;
    // errors of the tool are no findings about the city, but they are told; a run that tried nothing is none
    const found = /FAILURES/.test(said) ? failures : 0;
    if (routes === 0 || requests === 0) throw new Error(`schemathesis tried nothing as ${who}:\n${said}`);
    if (found > 0 || stopped) console.log(said.slice(said.search(/=+ FAILURES/)));
    tried.push({ who, routes, requests, found: found + Number(stopped), code });
  }
  return tried;
}
