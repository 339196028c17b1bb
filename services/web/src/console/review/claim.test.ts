import { expect, it, test } from 'vitest';
import { claimed, isToProlong, takenBy } from './claim.ts';

const now = Date.parse('2026-11-22T04:00:00Z');
const until = '2026-11-22T04:15:00Z';

test.each([
  ['nobody has it', { claimed_by: null, claimed_until: null, may_claim: true }, { by: 'nobody', may: true }],
  ['nobody may', {}, { by: 'nobody', may: false }],
  ['I have it', { claimed_by: 'me', claimed_until: until, may_claim: true }, { by: 'me', until }],
  ['somebody else has it', { claimed_by: 'li', claimed_until: until, may_claim: true }, { by: 'other', who: 'li', until, may: true }],
  ['theirs has lapsed meanwhile', { claimed_by: 'li', claimed_until: '2026-11-22T03:59:00Z', may_claim: true }, { by: 'nobody', may: true }],
])('%s', (_, alert, stands) => expect(claimed(alert, 'me', now)).toEqual(stands));

it('tells who took it over, and of nothing that merely ended', () => {
  const mine = { claimed_by: 'me', claimed_until: until };
  expect(takenBy(mine, { claimed_by: 'li', claimed_until: until }, 'me')).toBe('li');
  expect(takenBy(mine, {}, 'me')).toBeNull();
  expect(takenBy(mine, mine, 'me')).toBeNull();
  expect(takenBy({ claimed_by: 'wang', claimed_until: until }, { claimed_by: 'li', claimed_until: until }, 'me')).toBeNull();
});

it('is prolonged near its end, by whoever has it', () => {
  expect(isToProlong({ by: 'me', until }, now)).toBe(false);
  expect(isToProlong({ by: 'me', until }, now + 11 * 60_000)).toBe(true);
  expect(isToProlong({ by: 'other', who: 'li', until, may: true }, now + 11 * 60_000)).toBe(false);
});
