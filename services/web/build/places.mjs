// A Vite plugin: the gazetteer of `domain`, one file a district, and the map, beside the pages.
import { readFileSync } from 'node:fs';

const here = (path) => new URL(path, import.meta.url);
const rows = (name) =>
  readFileSync(here(`../../domain/data/${name}.csv`), 'utf8')
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(','));

/** Every file by the path it is served at. */
export function files() {
  const places = new Map();
  const districts = rows('districts').map(([code, name, nameEn, people]) => ({ code, name, name_en: nameEn, people: Number(people) }));
  places.set('places/districts.json', JSON.stringify(districts));
  const townships = rows('townships');
  const communities = rows('communities');
  for (const { code } of districts) {
    const inside = townships
      .filter(([, , district]) => district === code)
      .map(([township, name]) => ({
        code: township,
        name,
        communities: communities.filter(([, , of]) => of === township).map(([community, of]) => ({ code: community, name: of })),
      }));
    places.set(`places/${code}.json`, JSON.stringify(inside));
  }
  // Three decimals are a hundred metres: enough for a map of a city as large as Austria, and half the bytes.
  const map = readFileSync(here('../data/districts.geojson'), 'utf8').replace(/(\d+\.\d{3})\d+/g, '$1');
  places.set('places/districts.geojson', map);
  return places;
}

export function places() {
  return {
    name: 'fenghuo-places',
    generateBundle() {
      for (const [fileName, source] of files()) this.emitFile({ type: 'asset', fileName, source });
    },
    configureServer(server) {
      const served = files();
      server.middlewares.use((request, response, next) => {
        const found = served.get((request.url ?? '').split('?')[0].slice(1));
        if (found === undefined) return next();
        response.setHeader('content-type', 'application/json');
        response.end(found);
      });
    },
  };
}
