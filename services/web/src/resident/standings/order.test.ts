import { expect, test, vi } from 'vitest';
import { countWord, evidenceWord, howWord, inTongue, lifterWord, ownLifterWord, sourceWord } from '../../words/standing.ts';
import type { MyStanding } from './contract.ts';
import { lifted, objectionState, ofAlert, standing } from './order.ts';

// The words ask in which language they are read, which is kept in the browser.
vi.hoisted(() => {
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
  vi.stubGlobal('location', { search: '', origin: 'http://fenghuo.test', href: 'http://fenghuo.test/', hostname: 'fenghuo.test', hash: '' });
  vi.stubGlobal('document', { documentElement: { lang: '' } });
});

const one = (standing_id: number, more: Partial<MyStanding> = {}) =>
  ({ standing_id, alert_id: `a${standing_id}`, state: 'stands', until: '2026-12-06T06:00:00Z', lifted: null, ...more }) as MyStanding;
const over = (standing_id: number, at: string, more: Partial<MyStanding> = {}) => one(standing_id, { state: 'lifted', lifted: { how: 'record', at }, ...more });

test('what stands is told before what was, the longest and the newest first', () => {
  const all = [over(1, '2026-11-20T00:00:00Z'), one(2, { until: '2026-12-01T00:00:00Z' }), one(3), over(4, '2026-11-25T00:00:00Z')];
  expect(standing(all).map(({ standing_id }) => standing_id)).toEqual([3, 2]);
  expect(lifted(all).map(({ standing_id }) => standing_id)).toEqual([4, 1]);
});

test('an alert leads to what it left behind, and to what stands before what was lifted', () => {
  const all = [over(1, '2026-11-20T00:00:00Z', { alert_id: 'same' }), one(2, { alert_id: 'same' }), one(3)];
  expect(ofAlert(all, 'same')?.standing_id).toBe(2);
  expect(ofAlert(all, 'other')).toBeUndefined();
});

test('an objection waits for a day, and is late after it', () => {
  const said = { feedback_id: 1, said_at: '2026-11-22T04:00:00Z', answer_by: '2026-11-23T04:00:00Z', answer: null, answered_at: null };
  expect(objectionState(said, Date.parse('2026-11-23T03:59:00Z'))).toBe('waits');
  expect(objectionState(said, Date.parse('2026-11-23T04:01:00Z'))).toBe('late');
  expect(objectionState({ ...said, answered_at: '2026-11-23T05:00:00Z', answer: '已核实' }, Date.parse('2026-11-24T00:00:00Z'))).toBe('answered');
});

test('it is said in the reader\'s language, and in Chinese where that is missing', () => {
  expect(inTongue({ 'zh-CN': '密切接触者', en: 'Close contact' }, 'en')).toBe('Close contact');
  expect(inTongue({ 'zh-CN': '密切接触者' }, 'en')).toBe('密切接触者');
});

test('what is not known by a name of its own is a record, and every way out has its word', () => {
  expect(evidenceWord(null)).toBe(evidenceWord('something_new'));
  for (const how of ['record', 'decision', 'time', 'alert_withdrawn', 'withdrawn_for_person', 'evidence_ended'] as const) expect(howWord(how)).not.toBe('');
  for (const who of ['community', 'district', 'city'] as const) expect([lifterWord(who), ownLifterWord(who)]).not.toContain('');
});

test('a source is told by its name, and a person who entered a record by no number of theirs', () => {
  expect(sourceWord('市疾控中心')).toBe('市疾控中心');
  expect(sourceWord('staff:01a22b8b-8bd2-72c5-a82d-1861687f484c')).not.toContain('01a2');
});

test('samples are counted only where more than one is needed', () => {
  expect(countWord({ times: 1, counted: 0 })).toBe('');
  expect(countWord({ times: 2, counted: 1 })).toContain('1');
});
