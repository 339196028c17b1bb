import { describe, expect, it } from 'vitest';
import { inOrder, isInDanger, lateness, marks, numbers, oldest, values, type Row, type Running } from './glance.ts';

const NOW = Date.parse('2026-11-22T04:00:00Z');
const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();
const row = (more: Partial<Row>): Row => ({ district: '500103', reaches: more.district === null ? [] : [more.district ?? '500103'], state: 'district_review', class: 'routine', exercise: false, count: 1, oldest_changed_at: at(-10), ...more });
const running = (more: Partial<Running>): Running => ({
  alert_id: 'a', headline: '', class: 'routine', exercise: false, district: '500103', reaches: [more.district ?? '500103'], state: 'dispatching', approved_at: at(-30), release_at: at(-30), due_at: at(90),
  expires_at: at(600), handed_over_at: null, recipients: 100, accepted: 50, open: 50, unreachable: 0, last_at: at(10), holds: true, spare_s: 4800, in_danger_since: null,
  sentence: '', sentence_en: '', ...more,
});

describe('the city at a glance', () => {
  const rows = [row({ count: 3 }), row({ state: 'city_review', district: '500101', oldest_changed_at: at(-50) }), row({ state: 'city_review', district: null }), row({ state: 'draft', count: 9 }),
    row({ state: 'closed', count: 5 }), row({ state: 'awaiting_confirmation', class: 'urgent', district: '500112' }), row({ exercise: true, count: 2, state: 'awaiting_confirmation', district: '500106' })];

  it('counts what waits, without exercises unless they are asked for', () => {
    expect(numbers(rows, [], false, NOW)).toEqual({ district_review: 3, city_review: 2, awaiting_confirmation: 1, sending: 0, in_danger: 0, exercises: 2 });
    expect(numbers(rows, [], true, NOW).awaiting_confirmation).toBe(3);
    expect(oldest(rows, 'city_review', false)).toBe(at(-50));
  });

  it('shows open alerts by district, those of the whole city apart', () => {
    expect(values('alerts', rows, [], false, NOW)).toEqual({ 500103: 3, 500101: 1, city: 1, 500112: 1 });
  });

  it('counts an alert of city level in each district that it names', () => {
    const named = { district: null, reaches: ['500105', '500106'] };
    expect(values('alerts', [row(named), row({ district: '500105' })], [], false, NOW)).toEqual({ 500105: 2, 500106: 1 });
    expect(values('coverage', [], [running({ ...named, recipients: 10, accepted: 4 })], false, NOW)).toEqual({ 500105: 0.4, 500106: 0.4 });
    expect(marks([row({ ...named, state: 'awaiting_confirmation', class: 'urgent' })], [], false, NOW)).toEqual(['500105', '500106']);
  });

  it('marks districts where something urgent waits or a deadline is in danger', () => {
    expect(marks(rows, [running({ district: '500108', holds: false })], false, NOW).sort()).toEqual(['500108', '500112']);
    expect(marks(rows, [], true, NOW)).toContain('500106');
  });

  it('weighs coverage by people', () => {
    const two = [running({ recipients: 900, accepted: 900 }), running({ recipients: 100, accepted: 0 }), running({ recipients: 0, accepted: 0, district: '500101' })];
    expect(values('coverage', [], two, false, NOW)).toEqual({ 500103: 0.9 });
  });

  it.each([
    ['in time', {}, 0, false],
    ['foreseen late', { last_at: at(120), holds: false }, 30, true],
    ['past its deadline', { due_at: at(-20), last_at: null }, 20, true],
    ['done late', { due_at: at(-20), handed_over_at: at(-5), last_at: at(-5), state: 'active' }, 15, false],
    ['held back in quiet hours', { state: 'waiting' }, 0, false],
  ] as const)('says how late: %s', (_, more, minutes, danger) => {
    expect(lateness(running(more), NOW)).toBe(minutes);
    expect(isInDanger(running(more), NOW)).toBe(danger);
  });

  it('puts what is in danger first and what is through last', () => {
    const order = inOrder([running({ alert_id: 'done', state: 'active', handed_over_at: at(-1), due_at: at(-60) }), running({ alert_id: 'later', due_at: at(100) }), running({ alert_id: 'soon' }), running({ alert_id: 'danger', due_at: at(200), in_danger_since: at(-1) })], NOW);
    expect(order.map((one) => one.alert_id)).toEqual(['danger', 'soon', 'later', 'done']);
  });
});
