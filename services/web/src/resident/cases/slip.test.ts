import { expect, test } from 'vitest';
import { digitsOf, grouped, isTypedBack, lastGroup, slipOf } from './slip.ts';

test('a PIN is read in groups, and its last group is typed back', () => {
  expect([grouped('384201'), lastGroup('384201')]).toEqual(['384 201', '201']);
  expect(isTypedBack('384201', '201')).toBe(true);
  expect(isTypedBack('384201', ' 384 201 ')).toBe(true);
  expect(isTypedBack('384201', '２０１')).toBe(true);
  expect([isTypedBack('384201', '384'), isTypedBack('384201', ''), isTypedBack('384201', '202')]).toEqual([false, false, false]);
});

test('digits are digits on whatever keyboard', () => expect(digitsOf('２６１１２８－４０７１ 3392—6')).toBe('261128407133926'));

test('what is copied says what it is', () => {
  expect(slipOf('261128-4071-3392-6', '384201', true)).toContain('查询码 384 201');
  expect(slipOf('261128-4071-3392-6', '384201', false)).toContain('261128-4071-3392-6');
});
