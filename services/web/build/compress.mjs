// Writes a gzipped copy beside every text that is served, so that the platform never compresses at run time.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';

const folder = new URL('../dist/', import.meta.url).pathname;
const text = /\.(html|js|css|json|geojson|svg|webmanifest)$/;
let raw = 0;
let sent = 0;
for (const file of readdirSync(folder, { recursive: true })) {
  if (!text.test(file)) continue;
  const bytes = readFileSync(join(folder, file));
  const packed = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(join(folder, `${file}.gz`), packed);
  raw += bytes.length;
  sent += packed.length;
}
console.log(`${Math.round(raw / 1024)} KB of text, ${Math.round(sent / 1024)} KB gzipped`);
