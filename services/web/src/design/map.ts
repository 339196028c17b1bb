// The map of the city without a page: outlines as paths, which colour a number has, and which district lies next to another.
import { geoArea, geoMercator } from 'd3-geo';
import type { Feature, FeatureCollection, MultiPolygon, Polygon, Position } from 'geojson';

/** The unit square of the map; every path and place is in it. */
export const WIDTH = 640;
export const HEIGHT = 600;

/** The nine districts of the main city: tiny on the map of the whole, most people on it. */
export const core: ReadonlySet<string> = new Set(['500103', '500104', '500105', '500106', '500107', '500108', '500109', '500112', '500113']);

export interface Box { x: number; y: number; width: number; height: number }
export interface Outline { code: string; name: string; nameEn: string; path: string; box: Box; centre: [number, number] }
type Districts = FeatureCollection<Polygon | MultiPolygon, { code: string; name: string; name_en: string }>;

const polygons = (shape: Polygon | MultiPolygon) => (shape.type === 'Polygon' ? [shape.coordinates] : shape.coordinates);

/** d3 takes a ring that runs the wrong way for the rest of the world: such rings are turned. */
function turned(feature: Feature<Polygon | MultiPolygon, Districts['features'][0]['properties']>) {
  const rings = polygons(feature.geometry).map((polygon) => {
    const alone: Polygon = { type: 'Polygon', coordinates: polygon };
    return geoArea(alone) > 2 * Math.PI ? polygon.map((ring) => [...ring].reverse()) : polygon;
  });
  return { ...feature, geometry: { type: 'MultiPolygon' as const, coordinates: rings } };
}

/** The districts as paths in the unit square. Points closer than half a pixel are left out: nobody sees them, everybody waits for them. */
export function outlines(districts: Districts): Outline[] {
  const features = districts.features.map(turned);
  const projection = geoMercator().fitExtent([[6, 6], [WIDTH - 6, HEIGHT - 6]], { type: 'FeatureCollection', features });
  return features.map((feature) => {
    const { code, name, name_en } = feature.properties;
    const nearest = core.has(code) ? 0.12 : 0.5;
    const rings = feature.geometry.coordinates.map((polygon) => drawn(polygon[0] ?? [], projection, nearest));
    const all = rings.flat();
    const largest = rings.reduce((best, ring) => (Math.abs(area(ring)) > Math.abs(area(best)) ? ring : best), rings[0] ?? []);
    return { code, name, nameEn: name_en, path: rings.map(pathOf).join(''), box: boxOf(all), centre: centroid(largest) };
  });
}

type Point = [number, number];

function drawn(ring: Position[], projection: (at: [number, number]) => [number, number] | null, nearest: number): Point[] {
  const points: Point[] = [];
  for (const [longitude = 0, latitude = 0] of ring) {
    const point = projection([longitude, latitude]);
    const last = points.at(-1);
    if (point && (!last || Math.hypot(point[0] - last[0], point[1] - last[1]) >= nearest)) points.push(point);
  }
  return points;
}

const pathOf = (ring: Point[]) => (ring.length < 3 ? '' : `M${ring.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join('L')}Z`);

function area(ring: Point[]): number {
  let sum = 0;
  ring.forEach(([x, y], at) => {
    const [nextX, nextY] = ring[(at + 1) % ring.length] ?? [x, y];
    sum += x * nextY - nextX * y;
  });
  return sum / 2;
}

function centroid(ring: Point[]): [number, number] {
  const whole = area(ring) || 1;
  let [sumX, sumY] = [0, 0];
  ring.forEach(([x, y], at) => {
    const [nextX, nextY] = ring[(at + 1) % ring.length] ?? [x, y];
    const cross = x * nextY - nextX * y;
    sumX += (x + nextX) * cross;
    sumY += (y + nextY) * cross;
  });
  return [sumX / (6 * whole), sumY / (6 * whole)];
}

function boxOf(points: Point[]): Box {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** What holds all of these. */
export function together(boxes: readonly Box[], rim = 0): Box {
  const x = Math.min(...boxes.map((box) => box.x)) - rim;
  const y = Math.min(...boxes.map((box) => box.y)) - rim;
  return {
    x, y,
    width: Math.max(...boxes.map((box) => box.x + box.width)) + rim - x,
    height: Math.max(...boxes.map((box) => box.y + box.height)) + rim - y,
  };
}

/** Where an arrow key leads: the nearest place that lies that way, those straight ahead before those aside. */
export function towards(from: string, key: string, places: readonly { code: string; centre: [number, number] }[]): string {
  const here = places.find((place) => place.code === from)?.centre;
  const way: Record<string, [number, number]> = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const [right, down] = way[key] ?? [0, 0];
  if (!here || (!right && !down)) return from;
  let [best, least] = [from, Infinity];
  for (const place of places) {
    const [dx, dy] = [place.centre[0] - here[0], place.centre[1] - here[1]];
    const ahead = dx * right + dy * down;
    const aside = Math.abs(dx * down) + Math.abs(dy * right);
    if (place.code === from || ahead <= 0 || aside > ahead * 1.7) continue;
    if (ahead + aside * 1.2 < least) [best, least] = [place.code, ahead + aside * 1.2];
  }
  return best;
}

export type Scale = 'alerts' | 'coverage' | 'lateness' | 'none';

/** Upper ends of the first four of five steps, and the five colours, light to dark. */
const ramps: Record<Exclude<Scale, 'none'>, { ends: [number, number, number, number]; colours: [string, string, string, string, string] }> = {
  // How many alerts: none, 1, 2–3, 4–6, more.
  alerts: { ends: [0, 1, 3, 6], colours: ['#dfe5eb', '#fddcb5', '#f7a65a', '#d9591c', '#962506'] },
  // Which share is reached: below half, 80 %, 95 %, 99 %, and above.
  coverage: { ends: [0.5, 0.8, 0.95, 0.99], colours: ['#f6ddd2', '#d3e8df', '#8fcbb2', '#3f9a79', '#0b6b4f'] },
  // Minutes beyond the deadline: none, a quarter of an hour, an hour, two hours, more.
  lateness: { ends: [0, 15, 60, 120], colours: ['#cfe8dd', '#fde6ae', '#f4b04a', '#d5611b', '#8c1d05'] },
};

/** Which of the five steps a number is in, 0 to 4; a share belongs to the step that it has reached. */
export function step(scale: Exclude<Scale, 'none'>, value: number): number {
  const reached = scale === 'coverage' ? (end: number) => value >= end : (end: number) => value > end;
  return ramps[scale].ends.filter(reached).length;
}

/** The colour of a number. Nothing is known where there is no number: that is paper, not a step. */
export function colour(scale: Scale, value: number | undefined): string {
  if (scale === 'none') return '#dfe5eb';
  return value === undefined ? '#ffffff' : (ramps[scale].colours[step(scale, value)] ?? '#ffffff');
}

/** The steps of a scale for its legend: colour, from, to; no end where it is open. */
export function steps(scale: Exclude<Scale, 'none'>): { colour: string; from?: number; to?: number }[] {
  const { ends, colours } = ramps[scale];
  return colours.map((colour, at) => ({ colour, from: ends[at - 1], to: ends[at] }));
}

/** A district's name where room is dear: `渝中`, `石柱`. */
export function shortName(name: string): string {
  return name.replace(/(土家族|苗族)+自治县$/, '').replace(/^(..+)[区县]$/, '$1');
}
