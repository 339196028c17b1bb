import { expect, it, test } from 'vitest';
import { plannedOf, rows, short, verdict } from './seal.ts';

const digest = (sign: string) => sign.repeat(64);
const seal = { texts: [{ language: 'zh-CN' as const, app: digest('a'), sms: digest('b'), screen: digest('c') }], audience: digest('d'), terms: digest('e'), people: 4100 };

it('shows enough of a digest to compare by eye', () => expect(short(digest('a'))).toBe('aaaa aaaa aaaa'));

it('puts what has left beside what was approved, for each language and channel', () => {
  const sent = { language: 'zh-CN' as const, channel: 'sms' as const, approved: digest('b'), sent: digest('b'), sent_at: '2026-11-22T04:00:00Z', same: true };
  const found = rows(seal, { people_approved: 4100, people_planned: 4100, audience: digest('d'), terms: digest('e'), texts: [sent] });
  expect(found.map(({ channel, approved, same }) => [channel, approved[0], same])).toEqual([['app', 'a', null], ['sms', 'b', true], ['display', 'c', null]]);
  expect(rows(seal, null).map(({ sent }) => sent)).toEqual([null, null, null]);
});

test.each([
  ['nothing has left', [null, null], 'not_yet'],
  ['some has left as approved', [true, null], 'same'],
  ['one text differs', [true, false], 'differs'],
] as const)('%s', (_, same, says) => expect(verdict(same.map((one) => ({ same: one })))).toBe(says));

it('lets only a number of people go on', () => {
  const part = { part: 'people' as const, language: null, channel: null, approved: '4100', found: '10400000', found_at: '' };
  const unlike = { since: '', parts: [part], sentence: '', sentence_en: '', may_go_on: true };
  expect(plannedOf(unlike)).toEqual({ approved: 4100, planned: 10_400_000 });
  expect(plannedOf({ ...unlike, may_go_on: false })).toBeNull();
  expect(plannedOf({ ...unlike, parts: [{ ...part, approved: '' }] })).toEqual({ approved: null, planned: 10_400_000 });
});
