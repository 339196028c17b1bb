import { expect, test } from 'vitest';
import { added, inOrder, isRefused, settled, verdictOf, type Entry } from './outbox.ts';

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
