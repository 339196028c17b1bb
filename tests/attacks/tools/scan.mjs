// The pages under a scanner (wapiti): scripts from outside, files that should not be there, headers, redirects.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from './tool.mjs';

const MODULES = 'backup,cookieflags,crlf,csp,exec,file,htaccess,http_headers,methods,permanentxss,redirect,sql,ssrf,ssl,timesql,xss,xxe';
/** A demo on loopback speaks without TLS, so it cannot promise it either. */
const OF_A_DEMO = /Strict-Transport-Security|HTTP Strict Transport|Unencrypted Channels|Secure flag/i;

export async function scanned(city, tools, token) {
  const directory = mkdtempSync(join(tmpdir(), 'fenghuo-wapiti-'));
  const report = join(directory, 'report.json');
  const tried = { pages: 0, found: [] };
  try {
    for (const page of ['console', 'app', 'screen', 'guide']) {
      const options = [
        '-u', `${city.url}/${page}`, '--scope', 'domain', '-m', MODULES, '-f', 'json', '-o', report, '--flush-session', '--no-bugreport',
        '-H', `Authorization: Bearer ${token}`, '--max-scan-time', '120', '--max-attack-time', '20', '--store-session', directory, '--tasks', '8',
      ];
      const { said } = await run(join(tools, 'wapiti'), options, { seconds: 240 });
      let read;
      try {
        read = JSON.parse(readFileSync(report, 'utf8'));
      } catch {
        throw new Error(`wapiti made no report of /${page}:\n${said}`);
      }
      tried.pages += read.infos?.crawled_pages_nbr ?? 1;
      for (const kind of ['vulnerabilities', 'anomalies']) {
        for (const [name, items] of Object.entries(read[kind] ?? {})) {
          const real = items.filter((item) => !OF_A_DEMO.test(`${name} ${item.info}`));
          tried.found.push(...real.map((item) => `/${page}: ${name}: ${item.info} (${item.path})`));
        }
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return tried;
}
