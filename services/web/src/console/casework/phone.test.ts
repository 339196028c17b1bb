import { expect, test } from 'vitest';
import { isPurpose, mayOpenPhone } from './phone.ts';

test('the number is for operators and those of the unit that leads', () => {
  const file = { anonymous: false, lead: { unit_id: 3, name: '' } };
  expect(mayOpenPhone({ role: 'unit_handler', scope: 'unit:3' }, file)).toBe(true);
  expect(mayOpenPhone({ role: 'unit_handler', scope: 'unit:4' }, file)).toBe(false);
  expect(mayOpenPhone({ role: 'unit_lead', scope: 'unit:3' }, file)).toBe(true);
  expect(mayOpenPhone({ role: 'hotline_operator', scope: 'city' }, file)).toBe(true);
  expect(mayOpenPhone({ role: 'hotline_operator', scope: 'city' }, { ...file, anonymous: true })).toBe(false);
});

test('a purpose says something', () => expect([isPurpose('回访'), isPurpose('  回访 一下 '), isPurpose('核实反映的情况'), isPurpose('字'.repeat(201))]).toEqual([false, true, true, false]));
