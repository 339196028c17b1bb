import { describe, expect, it, test, vi } from 'vitest';
import type { AlertDetail } from '../alert/contract.ts';
import type { Row } from './bulk.ts';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', href: 'http://fenghuo.test/', origin: 'http://fenghuo.test' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { begun, cautionsOf, chosen, decisionOf, lacking, MOST, outcomeOf, ready, together, unready } = await import('./bulk.ts');

const detail = (more: object = {}) =>
  ({ version: 4, open_actions: ['pass_district', 'return_district'], faults: [], cautions: [], checklist: { action: 'pass_district', items: [{ item: 'complete', question: '信息完整', question_en: 'complete', may_not_apply: false }] }, ...more }) as unknown as AlertDetail;
const yes = { complete: { answer: 'yes', note: '' } } as const;
const no = { complete: { answer: 'no', note: '缺咨询方式' } } as const;
const row = (more: Partial<Row> = {}): Row => ({ ...begun('a'), detail: detail(), looked: true, choice: 'onward', answers: yes, ...more });

describe('a row', () => {
  test.each<[string, Partial<Row>, ReturnType<typeof lacking>]>([
    ['that is left alone lacks nothing', { choice: 'leave', looked: false }, null],
    ['that could not be read', { detail: null }, 'unread'],
    ['that nobody looked at', { looked: false }, 'not_seen'],
    ['that somebody else decided meanwhile', { detail: detail({ open_actions: [] }) }, 'closed'],
    ['whose text has faults does not go on', { detail: detail({ faults: [{}] }) }, 'faults'],
    ['whose text has faults goes back', { detail: detail({ faults: [{}] }), choice: 'back', reason: '请改正' }, null],
    ['with an open item', { answers: {} }, 'answers'],
    ['with a no does not go on', { answers: no }, 'answers'],
    ['goes back with a no', { answers: no, choice: 'back', reason: '请写咨询方式' }, null],
    ['goes back without any answer', { answers: {}, choice: 'back', reason: '请写咨询方式' }, null],
    ['does not go back without a reason', { choice: 'back', reason: ' ' }, 'reason'],
    ['does not go back with a no that says nothing', { answers: { complete: { answer: 'no', note: '' } }, choice: 'back', reason: '请改正' }, 'notes'],
    ['with a caution that is not known', { asked: ['open_comments'] }, 'cautions'],
    ['with a caution that is known', { asked: ['open_comments'], known: ['open_comments'] }, null],
    ['that is done lacks nothing', { step: 'done', looked: false }, null],
  ])('%s', (_, more, lacks) => expect(lacking(row(more))).toBe(lacks));
});

it('goes back past cautions that are about sending, but not past whoever reviews it', () => {
  const sends = { open_actions: ['approve', 'return_city'] };
  const cautions = [{ caution: 'no_reminder', must_be_confirmed: true }, { caution: 'claimed_by_other', must_be_confirmed: true }, { caution: 'cut_by_quiet_hours', must_be_confirmed: false }];
  expect(cautionsOf(row({ detail: detail({ cautions, ...sends }) }))).toEqual(['no_reminder', 'claimed_by_other']);
  expect(cautionsOf(row({ detail: detail({ cautions }) })), 'a district sends nothing').toEqual(['claimed_by_other']);
  expect(cautionsOf(row({ detail: detail({ cautions, ...sends }), choice: 'back' }))).toEqual(['claimed_by_other']);
});

it('sends each on the version that was seen, a return with its reason and what was wrong', () => {
  expect(decisionOf(row())).toEqual({ alert_id: 'a', decision: { version: 4, action: 'pass_district', reason: '', answers: [{ item: 'complete', answer: 'yes' }] } });
  expect(decisionOf(row({ answers: no, choice: 'back', reason: ' 请写咨询方式 ' }))).toEqual({
    alert_id: 'a', decision: { version: 4, action: 'return_district', reason: '请写咨询方式', answers: [{ item: 'complete', answer: 'no', note: '缺咨询方式' }] },
  });
});

it('begins a return with what was answered with no, and keeps what was written', () => {
  expect(chosen(row({ answers: no }), 'back').reason).toBe('信息完整：缺咨询方式');
  expect(chosen(row({ answers: no, reason: '另写' }), 'back').reason).toBe('另写');
});

it('lets what is ready go, and names what is not', () => {
  const rows = [row(), row({ id: 'b', looked: false }), row({ id: 'c', choice: 'leave' })];
  expect(ready(rows).map(({ id }) => id)).toEqual(['a']);
  expect(unready(rows).map(({ id }) => id)).toEqual(['b']);
});

it('takes reviews together, never a second officer’s confirmation or the end of an alert, and no more than go in one request', () => {
  const line = (alert_id: string, state: string, retraction: string | null = null) => ({ alert_id, state, retraction }) as Parameters<typeof together>[0][number];
  expect(together([line('urgent', 'awaiting_confirmation'), line('one', 'district_review'), line('end', 'active', 'withdraw'), line('mine', 'draft'), line('two', 'city_review')])).toEqual(['one', 'two']);
  expect(together(Array.from({ length: 40 }, (_, at) => line(String(at), 'city_review')))).toHaveLength(MOST);
});

it('counts what came of it', () => expect(outcomeOf([{ decided: true }, { decided: false }, { decided: true }])).toEqual({ decided: 2, failed: 1 }));
