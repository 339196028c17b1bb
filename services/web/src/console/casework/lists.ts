// Which lists of cases a role works from, the one to begin with first. No I/O; whose cases are in them the platform says.
import type { Role } from '../../words/alert.ts';
import type { CaseLine, ListName } from './contract.ts';

const of: Partial<Record<Role, readonly ListName[]>> = {
  hotline_operator: ['desk', 'check', 'callback', 'merges', 'all'],
  unit_handler: ['inbox', 'all'],
  unit_lead: ['decide', 'inbox', 'all'],
  supervisor: ['disputes', 'late', 'endangered', 'extensions', 'chased', 'all'],
};
export const listsFor = (role: Role): readonly ListName[] => of[role] ?? [];

/** What of the lists waits for a decision of the role itself: it is counted in the menu and on the first page. */
const waiting: Partial<Record<Role, readonly ListName[]>> = {
  hotline_operator: ['desk', 'check', 'callback'],
  unit_handler: ['inbox'],
  unit_lead: ['decide', 'inbox'],
  supervisor: ['disputes', 'extensions', 'late'],
};
export const waitingFor = (role: Role): readonly ListName[] => waiting[role] ?? [];

/** The list that an address asks for, if the role has it. */
export function listAt(role: Role, asked: string | null): ListName {
  const all = listsFor(role);
  return all.find((list) => list === asked) ?? all[0] ?? 'all';
}

/** Who may ask for the whole number of whoever brought a case: operators, and those of the unit that leads it. The platform decides and keeps each opening. */
export function mayOpenPhone({ role, scope }: { role: Role; scope: string }, file: Pick<CaseLine, 'anonymous' | 'lead'>): boolean {
  if (file.anonymous) return false;
  return role === 'hotline_operator' || ((role === 'unit_handler' || role === 'unit_lead') && scope === `unit:${file.lead?.unit_id}`);
}
