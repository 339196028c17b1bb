import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { colour, core, HEIGHT, outlines, shortName, step, together, towards, WIDTH } from './map.ts';

const drawn = outlines(JSON.parse(readFileSync(new URL('../../data/districts.geojson', import.meta.url), 'utf8')));

describe('the map', () => {
  it('has all 38 districts inside its square, none of them the rest of the world', () => {
    expect(drawn).toHaveLength(38);
    for (const { box, path } of drawn) {
      expect(path.startsWith('M')).toBe(true);
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(WIDTH);
      expect(box.y + box.height).toBeLessThanOrEqual(HEIGHT);
      expect(box.width).toBeLessThan(WIDTH / 2);
    }
  });

  it('can enlarge the main city', () => {
    const inside = drawn.filter(({ code }) => core.has(code));
    expect(inside).toHaveLength(9);
    expect(together(inside.map(({ box }) => box)).width).toBeLessThan(WIDTH / 3);
  });

  it('leads every district to its neighbours by arrow keys, so that all can be reached', () => {
    const reached = new Set(['500103']);
    for (const code of reached) for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) reached.add(towards(code, key, drawn));
    expect(reached.size).toBe(38);
    expect(towards('500103', 'Enter', drawn)).toBe('500103');
  });
});

describe('a colour', () => {
  it.each([['alerts', 0, 0], ['alerts', 1, 1], ['alerts', 3, 2], ['alerts', 7, 4], ['coverage', 0.5, 1], ['coverage', 0.99, 4], ['lateness', -20, 0], ['lateness', 16, 2]] as const)(
    'of %s for %d is step %d', (scale, value, expected) => expect(step(scale, value)).toBe(expected));
  it('is paper where nothing is known', () => expect(colour('coverage', undefined)).toBe('#ffffff'));
});

it('shortens names', () => {
  expect(['渝中区', '忠县', '石柱土家族自治县', '彭水苗族土家族自治县', '秀山土家族苗族自治县', '大渡口区'].map(shortName)).toEqual(['渝中', '忠县', '石柱', '彭水', '秀山', '大渡口']);
});
