import { expect, test } from 'vitest';
import { asText, digits, inFours, isCode, qrPath, secondsToNext } from './code.ts';

test.each([
  ['123456', '123456'],
  ['123 456', '123456'],
  ['１２３４５６', '123456'],
  ['12345678', '123456'],
  ['验证码 123-456', '123456'],
  ['', ''],
])('%s is read as the code %s', (typed, code) => expect(digits(typed)).toBe(code));

test('a code has six digits', () => {
  expect(isCode('123456')).toBe(true);
  expect(isCode('12345')).toBe(false);
});

test('a secret is read in groups of four', () => {
  expect(inFours('JBSWY3DPEHPK3PXP')).toBe('JBSW Y3DP EHPK 3PXP');
  expect(inFours('ABCDE')).toBe('ABCD E');
});

test('the next code comes on the half minute', () => {
  expect(secondsToNext(Date.parse('2026-11-22T04:00:00Z'))).toBe(30);
  expect(secondsToNext(Date.parse('2026-11-22T04:00:29Z'))).toBe(1);
  expect(secondsToNext(Date.parse('2026-11-22T04:00:31Z'))).toBe(29);
});

test('a QR code is drawn run by run, inside its quiet zone', () => {
  expect(qrPath(['110', '001'])).toEqual({ path: 'M4 4h2v1h-2zM6 5h1v1h-1z', size: 10 });
});

test('codes are kept one a line', () => {
  expect(asText(['aaaaa-bbbbb-ccccc', 'ddddd-eeeee-fffff'], ['烽火'])).toBe('烽火\r\n\r\naaaaa-bbbbb-ccccc\r\nddddd-eeeee-fffff\r\n');
});
