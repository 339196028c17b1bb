import { expect, it } from 'vitest';
import { inTurn, nextAfter } from './queue.ts';

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
