import { describe, expect, it } from 'vitest';
import { headcount, isFew, typable } from './headcount.ts';

describe('how many people an audience has', () => {
  it.each([[9, '<10'], [0, '<10'], [10, '10'], [32054160, '32,054,160']])('%s is told as %s', (people, told) => expect(headcount(people)).toBe(told));
  it('is fewer than ten, whoever they are', () => expect([0, 9, 10].map(isFew)).toEqual([true, true, false]));
  it('is typed as 10 where it is fewer', () => expect([0, 9, 10, 120].map(typable)).toEqual([10, 10, 10, 120]));
});
