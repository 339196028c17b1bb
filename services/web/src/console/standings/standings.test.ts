import { expect, test } from 'vitest';
import type { Standing, StandingSummary } from './contract.ts';
import { inTurn, isReason, joined, partsFor, reasonsOf, sums } from './standings.ts';

const one = (standing_id: number, more: Partial<Standing> = {}) => ({ standing_id, objection_waits: false, until: '2026-12-06T06:00:00Z', ...more }) as Standing;
const row = (reason: string, district: string, stands: number, more: Partial<StandingSummary> = {}) =>
  ({ reason, label: { 'zh-CN': reason, en: reason }, district, stands, lifted: { record: 1, decision: 0, time: 2, alert_withdrawn: 0, withdrawn_for_person: 0, evidence_ended: 0 }, objections_waiting: 1, objections_late: 0, asked_30_days: 3, ...more }) as StandingSummary;

test('communities and districts have the list and open contacts, the auditor counts and the alerts that name people by hand', () => {
  expect(partsFor('community_worker')).toEqual({ list: true, summary: true, named: false, contact: true });
  expect(partsFor('city_command_officer')).toEqual({ list: true, summary: true, named: true, contact: false });
  expect(partsFor('auditor')).toEqual({ list: false, summary: true, named: true, contact: false });
  expect(partsFor('submitting_unit')).toEqual({ list: false, summary: false, named: false, contact: false });
});

test('who objects and waits for an answer comes first, then what ends last', () =>
  expect(inTurn([one(1), one(2, { until: '2026-12-09T00:00:00Z' }), one(3, { objection_waits: true, until: '2026-12-01T00:00:00Z' })]).map(({ standing_id }) => standing_id)).toEqual([3, 2, 1]));

test('nobody stands twice on two pages', () => expect(joined([one(1), one(2)], [one(2), one(3)]).map(({ standing_id }) => standing_id)).toEqual([1, 2, 3]));

test('counts are added up over districts by reason', () => {
  const rows = [row('close_contact', '500103', 12), row('close_contact', '500105', 8, { objections_late: 2 }), row('arrival', '500103', 3)];
  expect(sums(rows)).toMatchObject([{ reason: 'close_contact', stands: 20, lifted: 6, by: { record: 2, time: 4 }, waiting: 2, late: 2, asked: 6 }, { reason: 'arrival', stands: 3 }]);
  expect(reasonsOf(rows).map(({ reason }) => reason)).toEqual(['close_contact', 'arrival']);
});

test.each([['查过了', false], ['两次检测均为阴性', true], ['     ', false], ['好'.repeat(201), false]])('a reason to lift: %s', (text, ok) => expect(isReason(text)).toBe(ok));
