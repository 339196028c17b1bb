// Which lists of cases a role works from, the one to begin with first. No I/O; whose cases are in them the platform says.
import type { Role } from '../../words/alert.ts';
import type { ListName, Wanted } from './contract.ts';

const of: Partial<Record<Role, readonly ListName[]>> = {
  hotline_operator: ['desk', 'check', 'callback', 'merges', 'all'],
  unit_handler: ['inbox', 'all'],
  unit_lead: ['decide', 'inbox', 'all'],
  supervisor: ['disputes', 'decide', 'desk', 'late', 'endangered', 'extensions', 'chased', 'all'],
};
export const listsFor = (role: Role): readonly ListName[] => of[role] ?? [];

/** What of the lists waits for a decision of the role itself: it is counted in the menu and on the first page. */
const waiting: Partial<Record<Role, readonly ListName[]>> = {
  hotline_operator: ['desk', 'check', 'callback'],
  unit_handler: ['inbox'],
  unit_lead: ['decide', 'inbox'],
  supervisor: ['disputes', 'decide', 'extensions', 'late'],
};
export const waitingFor = (role: Role): readonly ListName[] => waiting[role] ?? [];

/** What of a list is the role's own: supervision decides major matters a second time, and declines reports of violations. */
export function wantedOf(role: Role, list: ListName): Wanted {
  if (role !== 'supervisor') return { list };
  if (list === 'decide') return { list, state: 'to_confirm' };
  return list === 'desk' ? { list, kind: 'violation_report' } : { list };
}

/** The list that an address asks for, if the role has it. */
export function listAt(role: Role, asked: string | null): ListName {
  const all = listsFor(role);
  return all.find((list) => list === asked) ?? all[0] ?? 'all';
}
