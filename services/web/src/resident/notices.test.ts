import { expect, test } from 'vitest';
import type { InboxItem } from './contract.ts';
import { noticeOf, tidied } from './notices.ts';

const noon = Date.parse('2026-11-22T04:00:00Z');
const item = (alert_id: string, more: Partial<InboxItem> = {}): InboxItem => ({
  alert_id, short_code: 'AB2C', state: 'live', superseded_by: null, stop_reason: null, status: 'actual', msg_type: 'alert', severity: 'moderate', urgency: 'expected',
  text: { headline: alert_id, body: '', instruction: '请居家', sms: '' }, contact: '12320', purpose: '', place: null,
  released_at: '2026-11-22T03:00:00Z', expires_at: '2026-11-23T04:00:00Z', ack_by: '2026-11-22T06:00:00Z', acknowledged_at: null, ...more,
});
const shown = (one: InboxItem, items = [one]) => noticeOf(one, items, noon, 'zh-CN');

test('a push that comes late says what became of its alert', () => {
  expect(shown(item('请隔离', { urgency: 'immediate' }))).toEqual({ alert_id: '请隔离', title: '请隔离', body: '请居家', asks: true, urgent: true });
  expect(shown(item('请隔离', { state: 'cancelled', stop_reason: '样本有误', urgency: 'immediate' }))).toMatchObject({ title: '提醒已撤销：请隔离', body: '不必再按这条提醒行动。原因：样本有误', asks: false, urgent: false });
  expect(shown(item('请隔离', { state: 'superseded', superseded_by: 'elsewhere' }))).toMatchObject({ title: '提醒已更正：请隔离', asks: false });
  expect(shown(item('请隔离', { state: 'withdrawn' }))).toMatchObject({ title: '提醒已撤销：请隔离', body: '经核实与您无关，不必再按这条提醒行动。', asks: false });
  expect(shown(item('请隔离', { expires_at: '2026-11-22T03:59:00Z' }))).toMatchObject({ title: '提醒已结束：请隔离', asks: false });
  expect(shown(item('请隔离', { state: 'closed' }))).toMatchObject({ title: '提醒已结束：请隔离', asks: false });
  expect(noticeOf(item('Isolate', { state: 'cancelled' }), [], noon, 'en')).toMatchObject({ title: 'Withdrawn: Isolate' });
});

test('a push about what was corrected shows the correction, and how that one stands', () => {
  const [wrong, right] = [item('错的', { state: 'superseded', superseded_by: '对的' }), item('对的', { msg_type: 'update' })];
  expect(shown(wrong, [wrong, right])).toMatchObject({ alert_id: '对的', title: '更正：对的', asks: true });
  const withdrawn = { ...right, state: 'cancelled' };
  expect(shown(wrong, [wrong, withdrawn])).toMatchObject({ alert_id: '对的', title: '提醒已撤销：对的', asks: false });
});

test('a push about what was confirmed, here or on another device, asks for nothing', () => {
  expect(shown(item('请隔离', { acknowledged_at: '2026-11-22T03:30:00Z' }))).toMatchObject({ title: '请隔离', body: '您已确认。请居家', asks: false });
  expect(noticeOf(item('请隔离'), [], noon, 'zh-CN', new Set(['请隔离']))).toMatchObject({ asks: false });
});

test('an exercise says that it is one, also when it is over', () => {
  expect(shown(item('请集合', { status: 'exercise', state: 'cancelled' })).title).toBe('【演练 EXERCISE】提醒已撤销：请集合');
});

test('corrections in a ring end somewhere', () => {
  const [one, other] = [item('one', { state: 'superseded', superseded_by: 'other' }), item('other', { state: 'superseded', superseded_by: 'one' })];
  expect(shown(one, [one, other]).asks).toBe(false);
});

test('the tray keeps what still asks, and nothing else as if it did', () => {
  const items = [
    item('live'), item('confirmed', { acknowledged_at: '2026-11-22T03:30:00Z' }), item('waits to be sent'), item('expired', { expires_at: '2026-11-22T03:59:00Z' }), item('closed', { state: 'closed' }),
    item('withdrawn', { state: 'cancelled' }), item('not about them', { state: 'withdrawn' }), item('corrected', { state: 'superseded', superseded_by: 'right' }), item('right', { msg_type: 'update' }),
    item('corrected for others', { state: 'superseded', superseded_by: 'elsewhere' }),
  ];
  const standing = [...items.filter(({ alert_id }) => alert_id !== 'right').map(({ alert_id }) => ({ tag: alert_id, title: alert_id })), { tag: 'of another app', title: '' }];
  const { close, replace } = tidied(standing, items, noon, 'en', new Set(['waits to be sent']));
  expect(close).toEqual(['confirmed', 'waits to be sent', 'expired', 'closed', 'corrected']);
  expect(replace.map(({ title }) => title)).toEqual(['Withdrawn: withdrawn', 'Withdrawn: not about them', 'Correction: right', 'Corrected: corrected for others']);

  const after = [{ tag: 'withdrawn', title: 'Withdrawn: withdrawn' }, { tag: 'corrected', title: 'corrected' }, { tag: 'right', title: 'right' }];
  expect(tidied(after, items, noon, 'en')).toEqual({ close: ['corrected'], replace: [] });
});
