import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { shadeOf } from './shade.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const colours = (css: string) => Object.fromEntries([...css.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(([, name, colour]) => [name, colour])) as Record<string, string>;
const day = colours(read('../design/tokens.css'));
const night = { ...day, ...colours(read('./dark.css')) };

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
/** WCAG 2.2, 1.4.3. */
function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light! + 0.05) / (dark! + 0.05);
}

const words = ['ink', 'ink-2', 'ink-3', 'fire', 'fire-strong', 'amber', 'jade', 'sky', 'sky-strong', 'drill'];
const pairs: [string, string][] = [
  ...words.flatMap((word): [string, string][] => [[word, 'paper'], [word, 'ground']]),
  ['ink', 'sunk'], ['ink-2', 'sunk'], ['ink', 'hover'], ['ink-2', 'hover'], ['ink', 'marked'],
  ['fire-ink', 'fire-soft'], ['fire-strong', 'fire-soft'], ['ink', 'fire-soft'], ['amber-ink', 'amber-soft'], ['amber', 'amber-soft'], ['jade-ink', 'jade-soft'], ['jade', 'jade-soft'],
  ['sky-strong', 'sky-soft'], ['ink', 'sky-soft'], ['drill-ink', 'drill-soft'], ['drill', 'drill-soft'], ['ink', 'amber-soft'], ['ink', 'jade-soft'], ['ink', 'drill-soft'],
  ['on-night', 'night'], ['on-night-2', 'night'],
];
const grounds = ['fire-ground', 'fire-ground-strong', 'sky-ground', 'sky-ground-strong', 'jade-ground', 'drill-ground', 'drill-ground-strong', 'night'];

describe.each([['by day', day], ['by night', night]])('%s', (_, tokens) => {
  it.each(pairs)('%s on %s can be read', (word, ground) => expect(contrast(tokens[word]!, tokens[ground]!)).toBeGreaterThanOrEqual(4.5));
  it.each(grounds)('white on %s can be read', (ground) => expect(contrast('#ffffff', tokens[ground]!)).toBeGreaterThanOrEqual(4.5));
  it('the edge of a field can be seen', () => expect(contrast(tokens['line-strong']!, tokens['paper']!)).toBeGreaterThanOrEqual(2.9));
  it('the focus can be seen', () => expect(contrast(tokens['sky']!, tokens['paper']!)).toBeGreaterThanOrEqual(3));
});

test.each([['device', true, 'dark'], ['device', false, 'light'], ['light', true, 'light'], ['dark', false, 'dark']] as const)('chosen %s, night on the device %s: %s', (choice, device, shade) =>
  expect(shadeOf(choice, device)).toBe(shade));
