import { expect, it } from 'vitest';
import { Parts } from './whole.ts';

const all = ['texts', 'audience', 'source'];

it('is before the reader once the end of every part was in sight', () => {
  const parts = new Parts();
  expect([...all].reverse().map((name) => parts.saw(name, all))).toEqual([false, false, true]);
  expect(parts.left(all)).toEqual([]);
});

it('is not while a part that came later was not', () => {
  const parts = new Parts();
  for (const name of all) parts.saw(name, all);
  expect(parts.left([...all, 'changes'])).toEqual(['changes']);
});
