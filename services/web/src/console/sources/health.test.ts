import { describe, expect, it } from 'vitest';
import { bars, refusesMore } from './health.ts';

describe('the health of a source', () => {
  it('draws the largest day from bottom to top', () => {
    expect(bars([{ taken: 0, refused: 0 }, { taken: 30, refused: 10 }, { taken: 10, refused: 0 }], 40)).toEqual([
      { taken: 0, refused: 0 },
      { taken: 30, refused: 10 },
      { taken: 10, refused: 0 },
    ]);
  });
  it.each([
    [{ refused_lately: 0.4, refused_before: 0.1 }, true],
    [{ refused_lately: 0.15, refused_before: 0.1 }, false],
    [{ refused_lately: 0.02, refused_before: 0 }, false],
    [{ refused_lately: null, refused_before: 0.1 }, false],
  ])('notes that more is refused: %j', (source, more) => expect(refusesMore(source)).toBe(more));
});
