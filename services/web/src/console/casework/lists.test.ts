import { expect, test } from 'vitest';
import { listAt, listsFor, mayOpenPhone, waitingFor } from './lists.ts';
import type { Role } from '../../words/alert.ts';

const roles: Role[] = ['hotline_operator', 'unit_handler', 'unit_lead', 'supervisor'];

test.each(roles)('%s has what waits for them among their lists', (role) => {
  expect(waitingFor(role).length).toBeGreaterThan(0);
  expect(waitingFor(role).every((list) => listsFor(role).includes(list))).toBe(true);
});

test('nobody else works from cases', () => expect([listsFor('auditor'), waitingFor('community_worker')]).toEqual([[], []]));

test('an address that asks for a list of another role shows the first of one\'s own', () => {
  expect([listAt('unit_handler', 'decide'), listAt('unit_handler', null), listAt('unit_lead', 'inbox')]).toEqual(['inbox', 'inbox', 'inbox']);
});

test('the number is for operators and those of the unit that leads', () => {
  const file = { anonymous: false, lead: { unit_id: 3, name: '' } };
  expect(mayOpenPhone({ role: 'unit_handler', scope: 'unit:3' }, file)).toBe(true);
  expect(mayOpenPhone({ role: 'unit_handler', scope: 'unit:4' }, file)).toBe(false);
  expect(mayOpenPhone({ role: 'unit_lead', scope: 'unit:3' }, file)).toBe(true);
  expect(mayOpenPhone({ role: 'hotline_operator', scope: 'city' }, file)).toBe(true);
  expect(mayOpenPhone({ role: 'hotline_operator', scope: 'city' }, { ...file, anonymous: true })).toBe(false);
});
