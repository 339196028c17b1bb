import { expect, it } from 'vitest';
import { addressOf, gathered, inTurn, isPressing, nextAfter } from './queue.ts';

const line = (alert_id: string, state: string, changed_at: string, more: object = {}) =>
  ({ alert_id, state, class: 'routine', changed_at: `2026-11-22T${changed_at}:00Z`, ...more }) as Parameters<typeof inTurn>[0][number] & { alert_id: string };

const lines = [
  line('draft', 'draft', '01:00'),
  line('young', 'city_review', '05:00'),
  line('drill', 'awaiting_confirmation', '02:00', { class: 'urgent', exercise: true }),
  line('urgent', 'city_review', '06:00', { class: 'urgent' }),
  line('old', 'city_review', '03:00'),
  line('confirm', 'awaiting_confirmation', '07:00', { class: 'urgent' }),
];

it('puts urgent confirmations first, then what has waited longest', () =>
  expect(inTurn(lines).map(({ alert_id }) => alert_id)).toEqual(['confirm', 'urgent', 'drill', 'old', 'young', 'draft']));

it('goes on to the next review, never to a draft or the same again', () => {
  expect(nextAfter(lines, 'confirm')?.alert_id).toBe('urgent');
  expect(nextAfter([lines[0]!, lines[1]!], 'young')).toBeNull();
});

it('puts the end of an alert that people are acting on before reviews, and leads to where it is confirmed', () => {
  const wrong = line('wrong', 'active', '04:00', { class: 'urgent', retraction: 'withdraw', retraction_asked_at: '2026-11-22T08:00:00Z' });
  const stopped = line('stopped', 'active', '04:00', { retraction: 'correct', held_at: '2026-11-22T08:00:00Z', retraction_asked_at: '2026-11-22T06:30:00Z' });
  const over = line('over', 'active', '04:00', { retraction: 'all_clear', retraction_asked_at: '2026-11-22T02:00:00Z' });
  expect(inTurn([...lines, over, wrong, stopped]).map(({ alert_id }) => alert_id)).toEqual(['stopped', 'confirm', 'wrong', 'over', 'urgent', 'drill', 'old', 'young', 'draft']);
  expect([wrong, stopped, over].map(isPressing)).toEqual([true, true, false]);
  expect([addressOf(wrong), addressOf(lines[0]!), addressOf(lines[1]!)]).toEqual(['/alerts/wrong/retraction', '/alerts/draft/edit', '/alerts/young']);
});

it('gathers what says the same where there is much of it, at the place of the first', () => {
  const one = (alert_id: string, headline: string, state = 'district_review') => ({ ...line(alert_id, state, '01:00'), headline });
  const found = gathered([one('a', '核酸复检'), one('b', '集市关闭'), one('c', '核酸复检'), one('d', '核酸复检'), one('e', '核酸复检', 'draft'), one('f', '')]);
  expect(found.map(({ headline, lines }) => [headline, lines.map(({ alert_id }) => alert_id)])).toEqual([['核酸复检', ['a', 'c', 'd']], ['', ['b']], ['', ['e']], ['', ['f']]]);
});
