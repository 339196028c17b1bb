import { expect, test } from 'vitest';
import type { Item, Text } from './contract.ts';
import { following, mustYield, readingTime, turns, urgentNewcomer } from './rota.ts';

const noon = Date.parse('2026-11-22T04:00:00Z');
const text = (language: 'zh-CN' | 'en', headline: string = language): Text => ({ language, headline, body: 'b', instruction: 'i' });
const item = (alert_id: string, more: Partial<Item> = {}): Item => ({ alert_id, urgent: false, exercise: false, severity: 'minor', texts: [text('zh-CN'), text('en')], contact: '12320', expires_at: '2026-11-22T05:00:00Z', ...more });
const keys = (items: Item[], now = noon) => turns({ revision: 1, items }, now).map(({ key }) => key);

test('every language of every alert in turn', () => {
  expect(keys([item('a'), item('b', { texts: [text('zh-CN')] })])).toEqual(['a zh-CN', 'a en', 'b zh-CN']);
});

test('urgent takes over, an urgent exercise does not', () => {
  expect(keys([item('urgent', { urgent: true }), item('other')])).toEqual(['urgent zh-CN', 'urgent en']);
  expect(keys([item('drill', { urgent: true, exercise: true }), item('other')])).toHaveLength(4);
});

test('what has expired is dropped without being told', () => {
  expect(keys([item('a')], noon + 3_600_000)).toEqual([]);
});

test('the next turn follows, and begins again', () => {
  const all = turns({ revision: 1, items: [item('a')] }, noon);
  expect(following(all, 'a zh-CN')?.key).toBe('a en');
  expect(following(all, 'a en')?.key).toBe('a zh-CN');
  expect(following(all, 'gone')?.key).toBe('a zh-CN');
  expect(following([], 'a en')).toBeUndefined();
});

test('what is shown makes way when it ended or says something else', () => {
  const all = turns({ revision: 1, items: [item('a')] }, noon);
  expect(mustYield(all, all[0])).toBe(false);
  expect(mustYield(all, undefined)).toBe(true);
  expect(mustYield([], all[0])).toBe(true);
  const other = turns({ revision: 2, items: [item('a', { texts: [text('zh-CN', 'changed')] })] }, noon);
  expect(mustYield(other, all[0])).toBe(true);
});

test('an urgent alert that comes while others are shown is not kept waiting, unless it is an exercise', () => {
  const of = (...items: Item[]) => turns({ revision: 1, items }, noon);
  const before = of(item('a', { urgent: true }));
  expect(urgentNewcomer(of(item('a', { urgent: true }), item('b', { urgent: true })), before)?.key).toBe('b zh-CN');
  expect(urgentNewcomer(before, before)).toBeUndefined();
  expect(urgentNewcomer(of(item('a'), item('b')), of(item('a')))).toBeUndefined();
  expect(urgentNewcomer(of(item('a'), item('b', { urgent: true, exercise: true })), of(item('a')))).toBeUndefined();
});

test('long texts stay longer, within bounds', () => {
  const of = (headline: string) => readingTime({ language: 'zh-CN', headline, body: '', instruction: '' });
  expect(of('停水')).toBe(8);
  expect(of('请'.repeat(60))).toBe(18);
  expect(of('请'.repeat(500))).toBe(30);
});
