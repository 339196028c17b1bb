import { expect, test } from 'vitest';
import { advice, canRetry, headings, triesAlone, troubleOf } from './trouble.ts';

test.each([
  [0, true, 'away'], [503, true, 'away'], [504, true, 'away'], [500, false, 'failed'], [-1, false, 'failed'], [404, false, 'missing'], [410, false, 'missing'], [403, false, 'forbidden'], [401, false, 'forbidden'], [422, false, 'refused'],
] as const)('%i is told as what it is', (status, isAway, trouble) => expect(troubleOf({ status, isAway })).toBe(trouble));

test('what is not there is not asked for again; what failed is, and by itself', () => {
  expect((['missing', 'forbidden', 'away', 'failed', 'refused'] as const).map(canRetry)).toEqual([false, false, true, true, true]);
  expect((['missing', 'forbidden', 'away', 'failed', 'refused'] as const).map(triesAlone)).toEqual([false, false, true, true, false]);
});

test('every trouble has its words in both languages', () => {
  for (const words of [headings, advice]) for (const [zh, en] of Object.values(words)) expect(zh.length * en.length).toBeGreaterThan(0);
});
