import { expect, test } from 'vitest';
import type { InboxItem } from './contract.ts';
import { endOf, merged, raised, waysOf } from './order.ts';

const noon = Date.parse('2026-11-22T04:00:00Z');
let minute = 0;
const item = (alert_id: string, more: Partial<InboxItem> = {}): InboxItem => ({
  alert_id, short_code: 'AB2C', state: 'live', superseded_by: null, stop_reason: null, status: 'actual', msg_type: 'alert', severity: 'moderate', urgency: 'expected',
  text: { headline: alert_id, body: '', instruction: '', sms: '' }, contact: '12320', purpose: '', place: null,
  released_at: new Date(noon - 3_600_000 + ++minute * 1000).toISOString(), expires_at: '2026-11-23T04:00:00Z', ack_by: '2026-11-22T06:00:00Z', acknowledged_at: null, ...more,
});
const none = new Set<string>();
const ids = (items: InboxItem[], acknowledged = none, known = none) => raised(items, acknowledged, known, noon).map(({ item, kind }) => `${kind} ${item.alert_id}`);

test('what is real and urgent comes up first, the newest of its kind before the others', () => {
  const items = [item('old'), item('new'), item('exercise', { status: 'exercise', urgency: 'immediate' }), item('urgent', { urgency: 'immediate' }), item('severe', { severity: 'severe' })];
  expect(ids(items)).toEqual(['alert urgent', 'alert severe', 'alert new', 'alert old', 'alert exercise']);
});

test('what is acknowledged, waits to be sent, or has expired does not come up', () => {
  const items = [item('done', { acknowledged_at: '2026-11-22T03:00:00Z' }), item('waiting'), item('over', { expires_at: '2026-11-22T03:59:00Z' }), item('closed', { state: 'closed' })];
  expect(ids(items, new Set(['waiting']))).toEqual([]);
});

test('a correction comes up as such, with what it corrects', () => {
  const items = [item('wrong', { state: 'superseded', superseded_by: 'right', acknowledged_at: '2026-11-22T03:00:00Z' }), item('right', { msg_type: 'update' })];
  expect(raised(items, none, none, noon)).toMatchObject([{ kind: 'correction', item: { alert_id: 'right' }, corrects: { alert_id: 'wrong' } }]);
});

test('a withdrawal is told once, to whoever had seen the alert', () => {
  const items = [item('seen', { state: 'cancelled' }), item('never seen', { state: 'cancelled' }), item('not about them', { state: 'withdrawn' }), item('corrected for others', { state: 'superseded', superseded_by: 'elsewhere' })];
  const known = new Set(['seen', 'not about them', 'corrected for others']);
  expect(ids(items, none, known).sort()).toEqual(['ended corrected for others', 'ended not about them', 'ended seen']);
  expect(ids(items, none, new Set([...known, endOf('seen'), endOf('not about them'), endOf('corrected for others')]))).toEqual([]);
});

test('an all-clear is told once as well, and what is only being checked still asks for what it asked', () => {
  expect(ids([item('over', { state: 'all_clear' })], none, new Set(['over']))).toEqual(['ended over']);
  expect(ids([item('over', { state: 'all_clear' })], none, new Set(['over', endOf('over')]))).toEqual([]);
  expect(ids([item('stopped', { being_checked: '此提醒正在核实，结论出来前请仍按原要求做。' })])).toEqual(['alert stopped']);
});

test('a device keeps what has run out, and drops what the platform took back', () => {
  const before = [item('past', { expires_at: '2026-11-22T03:00:00Z' }), item('gone'), item('here')];
  const fresh = [item('here', { acknowledged_at: '2026-11-22T03:30:00Z' }), item('new')];
  const after = merged(before, fresh, noon);
  expect(after.map(({ alert_id }) => alert_id)).toEqual(['new', 'here', 'past']);
  expect(after[1]?.acknowledged_at).not.toBeNull();
});

test('a contact is one touch away', () => {
  expect(waysOf('咨询电话 023-6381 2320（24 小时）').map(({ href }) => href)).toEqual(['tel:02363812320']);
  expect(waysOf('12320, or help@cq.example').map(({ href }) => href)).toEqual(['tel:12320', 'mailto:help@cq.example']);
  expect(waysOf('社区居委会')).toEqual([]);
});
