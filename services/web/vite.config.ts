// Four pages out of one workspace: the guide, the staff console, the residents' app and the player of public screens.
// Nothing is inlined, so that the pages' content policy needs no exception. `package.json` holds rollup at a version that is published for
// every platform: `npm ci` refuses a lock file without them.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';
// @ts-expect-error a plain script, run by the build alone
import { places } from './build/places.mjs';
import { pwa } from './build/pwa.ts';

const page = (name: string) => fileURLToPath(new URL(`${name}.html`, import.meta.url));
const platform = process.env['FENGHUO_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte(), places() as Plugin, pwa()],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    rollupOptions: { input: { index: page('index'), console: page('console'), app: page('app'), screen: page('screen') } },
  },
  server: { proxy: { '/api': platform, '/demo': platform, '/openapi.json': platform } },
});
