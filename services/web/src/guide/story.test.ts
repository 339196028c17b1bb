import { expect, test } from 'vitest';
import { current, isAlertText, isDone, minutesToMorning, type Seen } from './story.ts';

const seen = (more: Partial<Seen> = {}): Seen => ({ registered: false, reported: false, state: null, texts: 0, acknowledged: false, ...more });

test('the story goes on with what happened, whoever did it', () => {
  expect(current(seen())).toBe('register');
  expect(current(seen({ registered: true }))).toBe('report');
  expect(current(seen({ registered: true, reported: true }))).toBe('report');
  expect(current(seen({ registered: true, state: 'district_review' }))).toBe('district');
  expect(current(seen({ registered: true, state: 'city_review' }))).toBe('city');
  expect(current(seen({ registered: true, state: 'dispatching' }))).toBe('resident');
  expect(current(seen({ registered: true, state: 'active', acknowledged: true }))).toBeNull();
});

test('a returned alert is with the district no more, and not passed', () => {
  expect(isDone('district', seen({ state: 'draft' }))).toBe(false);
});

test('a code is no alert', () => {
  expect(isAlertText('【烽火】验证码 123456，5 分钟内有效。')).toBe(false);
  expect(isAlertText('【烽火】您是密切接触者，请立即居家隔离。')).toBe(true);
});

test('the night of the city ends at seven', () => {
  expect(minutesToMorning(Date.parse('2026-11-22T04:00:00Z'))).toBe(0);
  expect(minutesToMorning(Date.parse('2026-11-22T14:00:00Z'))).toBe(9 * 60 + 1);
  expect(minutesToMorning(Date.parse('2026-11-22T22:59:00Z'))).toBe(2);
  expect(minutesToMorning(Date.parse('2026-11-22T23:00:00Z'))).toBe(0);
});
