import { describe, expect, it, test } from 'vitest';
import type { CaseFile, StaffEvent } from './contract.ts';
import { begunWith, bodyOf, faultsOf, isGrave, questionsOf, sorted, type Answers } from './events.ts';

const file = (more: Partial<CaseFile> = {}) => ({ kind: 'complaint', orders: [], answer: null, caller: null, ...more }) as CaseFile;
const sent = (event: StaffEvent, answers: Answers, more: Partial<CaseFile> = {}) => bodyOf(event, answers, file(more));

describe('what a step asks', () => {
  it.each(['register', 'confirm_registration', 'sign_for', 'grant_extension', 'merge'] as StaffEvent[])('%s asks nothing', (event) => {
    expect(questionsOf(event)).toEqual([]);
    expect(faultsOf(event, {})).toEqual([]);
    expect(sent(event, {})).toEqual({});
  });
  it.each([
    ['decline', {}, ['ground', 'reason']],
    ['accept', { nature: 'complaint' }, ['urgency', 'grade']],
    ['route', {}, ['lead']],
    ['refuse_competence', { reason: '三定方案' }, ['proposal']],
    ['submit_result', { text: '已查' }, ['answer']],
    ['call_back', { text: '没人接' }, ['outcome']],
    ['call_back', { outcome: 'not_satisfied' }, ['text']],
    ['call_back', { outcome: 'unreachable' }, []],
    ['propose_merge', { reason: ' ' }, ['into', 'reason']],
  ] as [StaffEvent, Answers, string[]][])('%s is not taken without what it needs', (event, answers, missing) => expect(faultsOf(event, answers)).toEqual(missing));
  it.each([['0', false], ['8', true], ['250', true], ['251', false], ['1.5', false], ['三', false]])('an extension of %s working days can be asked for: %s', (working_days, can) =>
    expect(faultsOf('ask_extension', { working_days, reason: '等检测' }).length === 0).toBe(can));
  it('takes as many characters as the platform', () => expect(faultsOf('route', { lead: '3', task: '字'.repeat(501) })).toEqual(['task']));
});

describe('what a step sends', () => {
  it('numbers of units as numbers, the lead never as its own assistant, nothing that was left empty', () => {
    expect(sent('route', { lead: '3', assists: [3, 5], task: ' ' })).toEqual({ lead: 3, assists: [5] });
    expect(sent('route', { lead: '3' })).toEqual({ lead: 3 });
    expect(sent('refuse_competence', { reason: '不归我们', proposal: '4' })).toEqual({ reason: '不归我们', proposal: 4 });
    expect(sent('decline', { ground: 'in_court', reason: '已起诉', where_to: '' })).toEqual({ ground: 'in_court', reason: '已起诉' });
  });
  it('whether the citizen may read it, said either way', () => expect([sent('report_progress', { text: '已约' }), sent('report_progress', { text: '已约', visible: true })]).toEqual([{ text: '已约', visible: false }, { text: '已约', visible: true }]));
  it('the answer only where whoever decides has changed it', () => {
    const answer = { text: '明天上门', decided: false };
    expect(sent('decide', { answer: '明天上门' }, { answer })).toEqual({});
    expect(sent('decide', { answer: '今天上门' }, { answer })).toEqual({ answer: '今天上门' });
  });
});

describe('what is filled in already', () => {
  it('is what the case says', () => {
    expect(begunWith('accept', file({ kind: 'urgent_help' }))).toEqual({ urgency: 'top', grade: 'simple', nature: 'request_for_help' });
    expect(begunWith('regrade', file({ urgency: 'urgent', grade: 'major' }))).toEqual({ urgency: 'urgent', grade: 'major' });
    expect(begunWith('tell', file({ caller: { phone: '138****1234' } }))).toEqual({ by: 'sms' });
    expect(begunWith('tell', file())).toEqual({ by: 'app' });
  });
  it('is the proposal of whoever refused, for whoever decides the dispute', () => {
    const orders = [{ part: 'lead', refused: { ground: '', proposal: { unit_id: 9, name: '' } } }] as CaseFile['orders'];
    expect(begunWith('decide_dispute', file({ orders }))).toEqual({ lead: '9' });
    expect(begunWith('decide_dispute', file())).toEqual({});
  });
});

test('the step that goes on stands first, and what is closed keeps its reason', () => {
  const refusal = { code: 'same_person', detail: '您写的', detail_en: 'yours' };
  const { open, closed } = sorted([{ event: 'decline', allowed: true }, { event: 'decide', allowed: false, refusal }, { event: 'accept', allowed: true }]);
  expect(open).toEqual(['accept', 'decline']);
  expect(closed).toEqual([{ event: 'decide', allowed: false, refusal }]);
  expect([isGrave('decline'), isGrave('accept')]).toEqual([true, false]);
});
