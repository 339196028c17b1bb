import { expect, test } from 'vitest';
import { listAt, listsFor, waitingFor, wantedOf } from './lists.ts';
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

test('of what waits for a decision supervision has the second ones, and of the desk the reports of violations', () => {
  expect(wantedOf('supervisor', 'decide')).toEqual({ list: 'decide', state: 'to_confirm' });
  expect(wantedOf('supervisor', 'desk')).toEqual({ list: 'desk', kind: 'violation_report' });
  expect([wantedOf('unit_lead', 'decide'), wantedOf('hotline_operator', 'desk')]).toEqual([{ list: 'decide' }, { list: 'desk' }]);
});
