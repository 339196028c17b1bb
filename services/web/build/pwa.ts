// A Vite plugin: builds the service worker of the residents' app and tells it which files the app consists of, so that the app opens
// without network. Only what the app itself needs is kept on a phone, not the console.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin, type Rollup } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/** Where the app is served; the address that the platform answers with app.html. */
const PAGE = '/app/start';

export function pwa(): Plugin {
  let target: string | string[] | false = 'es2022';
  return {
    name: 'fenghuo-pwa',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      target = config.build.target;
    },
    generateBundle: {
      order: 'post',
      async handler(_options, bundle) {
        const page = bundle['app.html'];
        if (page?.type !== 'asset') return this.error('app.html is not among what was built');
        const own = readdirSync(at('../public/app')).filter((name) => !name.startsWith('.'));
        const files = [...filesOf(bundle), ...own.map((name) => `app/${name}`), 'beacon.svg'].sort();
        const hash = createHash('sha256').update(page.source);
        for (const name of files) hash.update(name);
        for (const name of own) hash.update(readFileSync(at(`../public/app/${name}`)));
        const shell = { version: hash.digest('hex').slice(0, 12), page: PAGE, files: files.map((name) => `/${name}`) };
        this.emitFile({ type: 'asset', fileName: 'app/worker.js', source: await worker(shell, target) });
      },
    },
  };
}

/** The scripts and styles that app.html leads to. */
function filesOf(bundle: Rollup.OutputBundle): Set<string> {
  const found = new Set<string>();
  const entry = Object.values(bundle).find((one) => one.type === 'chunk' && one.isEntry && one.name === 'app');
  const follow = (name: string) => {
    const chunk = bundle[name];
    if (!chunk || found.has(name)) return;
    found.add(name);
    if (chunk.type !== 'chunk') return;
    chunk.viteMetadata?.importedCss.forEach((style) => found.add(style));
    chunk.viteMetadata?.importedAssets.forEach((asset) => found.add(asset));
    [...chunk.imports, ...chunk.dynamicImports].forEach(follow);
  };
  if (entry) follow(entry.fileName);
  return found;
}

/** The worker as one script, with the list in it. */
async function worker(shell: object, target: string | string[] | false): Promise<string> {
  const built = (await build({
    configFile: false,
    logLevel: 'warn',
    define: { SHELL: JSON.stringify(shell) },
    build: { write: false, target, copyPublicDir: false, rollupOptions: { input: at('../src/resident/worker.ts'), output: { format: 'iife' } } },
  })) as Rollup.RollupOutput;
  return built.output[0].code;
}
