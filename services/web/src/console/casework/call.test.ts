import { expect, test } from 'vitest';
import { blankCall, caseOf, channelsOf, isWhole, missingOf, type Call } from './call.ts';

const call = (more: Partial<Call> = {}): Call => ({ ...blankCall('hotline_operator'), text: '老人缺药', ...more });

test('an operator takes calls, a community worker enters for somebody', () => {
  expect([channelsOf('hotline_operator')[0], channelsOf('community_worker')]).toEqual(['call', ['proxy']]);
  expect(blankCall('community_worker', '500103001001').area).toBe('500103001001');
});

test.each([['138001380', false], ['13800138000', true], ['138 0013 8000', true], ['+86 13800138000', true], ['+85251234567', true], ['02363771234', false]])('earlier cases of %s are looked for: %s', (phone, whole) => expect(isWhole(phone)).toBe(whole));

test('what is answered at once needs its answer, what is registered does not', () => {
  expect(missingOf(call(), 'answer')).toEqual(['answer']);
  expect(missingOf(call(), 'register')).toEqual([]);
  expect(missingOf(call({ kind: 'complaint' }), 'register')).toEqual(['against']);
  expect(missingOf(call({ kind: 'violation_report', against: '某市场' }), 'register')).toEqual([]);
});

test('nothing holds up whoever needs help: not a number, not a place', () => expect(missingOf(call({ kind: 'urgent_help' }), 'register')).toEqual([]));

test('what was left empty is not sent, and the answer goes with the step', () => {
  expect(caseOf(call({ answer: '已送药', phone: ' 13800138000 ', area: '500103001' }))).toEqual({ channel: 'call', kind: 'consultation', text: '老人缺药', district: '500103', phone: '13800138000' });
  expect(caseOf(call({ area: '500103001001' }))).toMatchObject({ district: '500103', community: '500103001001' });
});
