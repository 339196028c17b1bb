import { expect, test } from 'vitest';
import { purposesOf } from './purposes.ts';

test.each([
  ['', []],
  ['hospital_visit', ['hospital_visit']],
  [' hospital_visit，school、 care_home;school ', ['hospital_visit', 'school', 'care_home']],
])('%s', (typed, codes) => expect(purposesOf(typed)).toEqual(codes));
