import { describe, expect, it, test } from 'vitest';
import type { AlertLine } from '../alert/contract.ts';
import { asksFor, claimed, fresh, isShownAt, ofAlerts, ofCases, ofFeedback, ofProposals, overPage, positionIn, ringFor, ringsAgain, timeLeft, titled } from './tasks.ts';

const line = (alert_id: string, state: string, more: object = {}) =>
  ({ alert_id, version: 3, state, class: 'routine', exercise: false, headline: alert_id, changed_at: '2026-11-22T04:00:00Z', ...more }) as AlertLine;
const urgent = ofAlerts([line('boil', 'awaiting_confirmation', { class: 'urgent' })]);
const routine = ofAlerts([line('market', 'city_review')]);

describe('what waits', () => {
  it('leads to where it is decided, a draft to where it is mended', () => {
    expect(urgent[0]).toMatchObject({ key: 'alert:boil:3', address: '/alerts/boil', kind: 'second_officer', urgent: true });
    expect(ofAlerts([line('mine', 'draft', { class: 'urgent' })])[0]).toMatchObject({ address: '/alerts/mine/edit', kind: 'to_mend', urgent: false });
  });
  it('of the end of an alert leads to where the second officer confirms it, since it was asked for', () => {
    const end = line('wrong', 'active', { class: 'urgent', retraction: 'withdraw', retraction_asked_at: '2026-11-22T05:00:00Z' });
    expect(ofAlerts([end])[0]).toMatchObject({ address: '/alerts/wrong/retraction', kind: 'retraction', urgent: true, since: '2026-11-22T05:00:00Z' });
  });
  it('is asked for on behalf of those who may decide it', () => {
    expect(asksFor('city_command_officer')).toEqual({ alerts: true, proposals: false, visits: false, feedback: false, cases: false });
    expect(asksFor('administrator').proposals).toBe(true);
    expect(asksFor('community_worker')).toEqual({ alerts: false, proposals: false, visits: true, feedback: true, cases: false });
    expect(['hotline_operator', 'unit_handler', 'unit_lead', 'supervisor'].map((role) => asksFor(role as Parameters<typeof asksFor>[0]).cases)).toEqual([true, true, true, true]);
    expect(Object.values(asksFor('auditor')).some(Boolean)).toBe(false);
  });
  it('holds only changes that the caller may confirm, and residents in need who have no answer', () => {
    expect(ofProposals([{ id: 'a', open_steps: ['confirm'], proposed_at: '' }, { id: 'b', open_steps: ['withdraw'], proposed_at: '' }]).map(({ key }) => key)).toEqual(['proposal:a']);
    const row = (feedback_id: number, urgent: boolean, answer: string | null) => ({ feedback_id, urgent, answer, headline: '', at: '' });
    expect(ofFeedback([row(1, true, null), row(2, false, null), row(3, true, '马上来')]).map(({ key }) => key)).toEqual(['feedback:1']);
  });
});

describe('cases that wait', () => {
  const brought = (number: string, kind: string, state: string) => ({ number, kind, state, round: 1, received_at: '2026-11-22T04:00:00Z', summary: '张三家缺药' }) as unknown as Parameters<typeof ofCases>[0][number];
  const help = brought('261122-0000-0001-1', 'urgent_help', 'received');
  it('are each counted once, and lead to their page', () => {
    const tasks = ofCases([help, brought('261122-0000-0002-2', 'complaint', 'routed'), help]);
    expect(tasks.map(({ address, counted }) => [address, counted])).toEqual([['/casework/261122-0000-0001-1', '/casework'], ['/casework/261122-0000-0002-2', '/casework']]);
  });
  it('stand over every page while somebody needs help and nobody has taken it', () => {
    expect(overPage(ofCases([help]), '/settings')).toHaveLength(1);
    expect(overPage(ofCases([brought('a', 'urgent_help', 'working'), brought('b', 'complaint', 'received')]), '/settings')).toEqual([]);
  });
  it('tell nothing of what was written over other windows', () => expect(JSON.stringify(ofCases([help]))).not.toContain('张三'));
  it('are told again when four fifths of their time are over, and when all of it is', () => {
    const order = brought('261122-0000-0003-3', 'complaint', 'working');
    const at = (warning: number) => ofCases([{ ...order, due: { warning, late: warning === 100 } } as unknown as typeof order]);
    const seen = (tasks: ReturnType<typeof ofCases>) => new Set(tasks.map(({ key }) => key));
    expect(fresh(seen(at(0)), at(50))).toEqual([]);
    expect(fresh(seen(at(50)), at(80)).map(({ kind }) => kind)).toEqual(['case_close']);
    expect(fresh(seen(at(80)), at(100)).map(({ kind, urgent }) => [kind, urgent])).toEqual([['case_late', false]]);
  });
  it('ring once for a state, and again when they come back for a review', () => {
    const seen = new Set(ofCases([help]).map(({ key }) => key));
    expect(fresh(seen, ofCases([help]))).toEqual([]);
    expect(fresh(seen, ofCases([{ ...help, state: 'working', round: 2 }]))).toHaveLength(1);
  });
});

describe('something new', () => {
  it('is none to whoever has just come in', () => expect(fresh(null, urgent)).toEqual([]));
  it('is what was not there before, and what came back changed', () => {
    const seen = new Set(urgent.map(({ key }) => key));
    expect(fresh(seen, [...urgent, ...routine])).toEqual(routine);
    expect(fresh(seen, ofAlerts([line('boil', 'awaiting_confirmation', { version: 5 })]))).toHaveLength(1);
  });
  it('rings and is notified where nobody looks', () =>
    expect(ringFor([...urgent, ...routine], '/', false)).toEqual({ sound: 'urgent', notify: [...urgent, ...routine], assertive: urgent, polite: routine }));
  it('rings softly on another page, without a notification over the page one looks at', () =>
    expect(ringFor(routine, '/rules', true)).toEqual({ sound: 'soft', notify: [], assertive: [], polite: routine }));
  it('is quiet where the page shows it', () => {
    expect(ringFor(urgent, '/', true).sound).toBe('none');
    expect(ringFor(urgent, '/alerts/boil', true).assertive).toEqual([]);
    expect(ringFor(urgent, '/alerts/other', true).sound).toBe('urgent');
  });
});

describe('an urgent push that waits', () => {
  const drill = ofAlerts([line('drill', 'awaiting_confirmation', { class: 'urgent', exercise: true, changed_at: '2026-11-22T01:00:00Z' })]);
  it('stands over every page but those that show it, the real one before an exercise that is older', () => {
    expect(overPage([...drill, ...routine, ...urgent], '/settings').map(({ key }) => key)).toEqual(['alert:boil:3', 'alert:drill:3']);
    expect(overPage(urgent, '/')).toEqual([]);
    expect(overPage(urgent, '/alerts/boil')).toEqual([]);
  });
  it('gives way to the end of an alert that people are acting on, however long it has waited itself', () => {
    const end = ofAlerts([line('wrong', 'active', { class: 'urgent', retraction: 'withdraw', retraction_asked_at: '2026-11-22T06:00:00Z' })]);
    expect(overPage([...urgent, ...end], '/settings').map(({ kind }) => kind)).toEqual(['retraction', 'second_officer']);
  });
  it('rings again each minute until somebody takes it or looks; an exercise does not', () => {
    expect(ringsAgain(urgent, false, 0, 60_000)).toBe(true);
    expect(ringsAgain(urgent, false, 0, 59_000)).toBe(false);
    expect(ringsAgain(urgent, true, 0, 90_000)).toBe(false);
    expect(ringsAgain(drill, false, 0, 90_000)).toBe(false);
    expect(ringsAgain(routine, false, 0, 90_000)).toBe(false);
  });
  it('has what is left of its minutes, and says by how much they are over', () => {
    const at = (minutes: number) => Date.parse('2026-11-22T04:00:00Z') + minutes * 60_000;
    expect(timeLeft(urgent[0]!, 30, at(8))).toBe(22 * 60_000);
    expect(timeLeft(urgent[0]!, 30, at(35))).toBe(-5 * 60_000);
  });
});

test('the end of an alert is shown where it is confirmed, beside the alert, and where it is listed', () => {
  const [end] = ofAlerts([line('wrong', 'active', { class: 'urgent', retraction: 'withdraw' })]);
  expect(['/alerts/wrong/retraction', '/alerts/wrong', '/', '/alerts', '/alerts/wrong/delivery'].map((path) => isShownAt(end!, path))).toEqual([true, true, true, false, false]);
});

test('whoever decides one after the other knows where they are, and which come before and after', () => {
  const queue = ofAlerts(['one', 'two', 'three'].map((id, at) => line(id, 'city_review', { changed_at: `2026-11-22T0${at + 1}:00:00Z` })));
  expect(positionIn(queue, '/alerts/two')).toMatchObject({ at: 2, of: 3, before: { headline: 'one' }, after: { headline: 'three' } });
  expect(positionIn(queue, '/alerts/three')).toMatchObject({ at: 3, after: null });
  expect(positionIn([...queue, ...ofAlerts([line('draft', 'draft')])], '/alerts/one')?.of, 'what one has to mend is no review').toBe(3);
  expect(positionIn(queue, '/alerts/elsewhere')).toBeNull();
  expect(positionIn(queue, '/')).toBeNull();
});

test('of several tabs one rings', () => {
  const first = claimed({}, urgent, 1000);
  expect(first.mine).toEqual(urgent);
  expect(claimed(first.rung, urgent, 1500).mine).toEqual([]);
  expect(claimed(first.rung, urgent, 61_001).mine).toEqual(urgent);
});

test.each([[0, '待办', '待办 · 烽火'], [3, '待办', '(3) 待办 · 烽火'], [3, '', '(3) 烽火'], [120, '弹窗', '(99+) 弹窗 · 烽火'], [0, '烽火', '烽火']])('the tab of %i waiting on %s: %s', (waiting, page, title) =>
  expect(titled(waiting, page, '烽火')).toBe(title));
