import { expect, it } from 'vitest';
import { typedNumber } from './typed.ts';

it.each([
  ['32054159', 32_054_159],
  [' 32,054,159 ', 32_054_159],
  ['３２０', 320],
  ['0', 0],
  ['', null],
  ['12.5', null],
  ['-3', null],
  ['三十', null],
  ['99999999999', null],
])('%s', (typed, number) => expect(typedNumber(typed)).toBe(number));
