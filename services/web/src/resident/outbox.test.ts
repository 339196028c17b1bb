import { expect, test } from 'vitest';
import { added, inOrder, isRefused, leaving, pathOf, settled, taking, untilOf, verdictOf, type Entry } from './outbox.ts';

const read = (alert_id: string, at: number): Entry => ({ kind: 'acknowledgement', id: `read ${alert_id} ${at}`, alert_id, at });
const question = (alert_id: string, at: number): Entry => ({ kind: 'feedback', id: `ask ${alert_id} ${at}`, alert_id, at, headline: '', about: 'question', text: '在哪里检测？' });

test('an alert is acknowledged once, and asked about as often as one likes', () => {
  let entries = added([], read('a', 1));
  entries = added(entries, read('a', 2));
  entries = added(entries, question('a', 3));
  entries = added(entries, question('a', 4));
  expect(entries.map(({ at }) => at)).toEqual([1, 3, 4]);
});

test('acknowledgements go before feedback', () => {
  expect(inOrder([question('a', 1), read('b', 3), read('a', 2)]).map(({ at }) => at)).toEqual([2, 3, 1]);
});

test.each([[200, 'taken'], [201, 'taken'], [0, 'later'], [429, 'later'], [503, 'later'], [401, 'signed_out'], [404, 'refused'], [422, 'refused']])(
  'an answer of %i means %s', (status, verdict) => expect(verdictOf(status)).toBe(verdict),
);

test('what cannot go now stays; what was refused stays in sight but is not sent again', () => {
  const entries = [read('a', 1), question('a', 2)];
  expect(settled(entries, 'read a 1', 'later')).toEqual(entries);
  expect(settled(entries, 'read a 1', 'taken')).toEqual([entries[1]]);
  expect(settled(entries, 'read a 1', 'refused')).toEqual([entries[1]]);
  const refused = settled(entries, 'ask a 2', 'refused', { zh: '太长', en: 'too long' });
  expect(refused.filter(isRefused)).toHaveLength(1);
  expect(inOrder(refused)).toEqual([entries[0]]);
});

test('an acknowledgement that the inbox does not hold yet is kept for as long as it may count', () => {
  const until = untilOf('2026-11-22T04:00:00Z');
  const entry: Entry = { kind: 'acknowledgement', id: 'a', alert_id: 'a', at: until - 30 * 3_600_000, until };
  expect(verdictOf(404, entry, until - 1)).toBe('not_yet');
  expect(settled([entry], 'a', 'not_yet')).toEqual([entry]);
  expect(verdictOf(404, entry, until)).toBe('refused');
  expect(verdictOf(404, question('a', 1), 2)).toBe('refused');
  const old = read('a', 1000);
  expect([verdictOf(404, old, 2000), verdictOf(404, old, 1000 + 86_400_000)]).toEqual(['not_yet', 'refused']);
});

test('the platform is told how long ago an acknowledgement was given', () => {
  expect(pathOf(read('a', 10_000), 10_300)).toBe('/api/v1/me/alerts/a/acknowledgement');
  expect(pathOf(read('a', 10_000), 310_000)).toBe('/api/v1/me/alerts/a/acknowledgement?ago_s=300');
  expect(pathOf(read('a', 10_000), 0)).toBe('/api/v1/me/alerts/a/acknowledgement');
  expect(pathOf(question('a', 10_000), 310_000)).toBe('/api/v1/me/alerts/a/feedback');
});

test('what somebody had not sent when they were signed out waits for them alone, and not for ever', () => {
  const day = 86_400_000;
  let left = leaving([], 7, [read('a', 1), question('a', 2)], day);
  left = leaving(left, 8, [read('b', 3)], day);
  left = leaving(left, 7, [read('a', 4), question('c', 5)], 2 * day);
  expect(leaving(left, 9, [], 2 * day)).toEqual(left);

  const { entries, others } = taking(left, 7, 3 * day);
  expect(entries.map(({ at }) => at)).toEqual([1, 2, 5]);
  expect(others.map(({ by }) => by)).toEqual([8]);
  expect(taking(others, 7, 3 * day).entries).toEqual([]);
  expect(taking(others, 8, 3 * day).entries).toEqual([read('b', 3)]);
  expect(taking(left, 8, 32.5 * day)).toEqual({ entries: [], others: left.filter(({ by }) => by === 7) });
});
