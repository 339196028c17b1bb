// Which lists of cases a role works from, the one to begin with first. No I/O; whose cases are in them the platform says.
import { say } from '../../words/say.svelte.ts';
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

const words: Record<ListName, [string, string]> = {
  desk: ['待处理', 'At the desk'],
  check: ['待我核对', 'To check'],
  callback: ['待回访', 'To call back'],
  inbox: ['本单位在办', 'Our orders'],
  decide: ['待审定', 'To decide'],
  late: ['已超时', 'Late'],
  endangered: ['临近超时', 'Endangered'],
  disputes: ['职责争议', 'Disputes'],
  chased: ['群众催办', 'Chased'],
  extensions: ['延期申请', 'Extensions'],
  merges: ['待确认并案', 'Merges'],
  all: ['全部', 'All'],
};
export const listWord = (list: ListName) => say(...words[list]);

const empty: Record<ListName, [string, string]> = {
  desk: ['没有待处理的诉求。', 'Nothing waits at the desk.'],
  check: ['没有等您核对的登记。', 'No registration waits for you to check.'],
  callback: ['没有待回访的诉求。', 'Nobody is to be called back.'],
  inbox: ['本单位没有在办的工单。', 'Your unit has no open order.'],
  decide: ['没有待审定的结果。', 'No result waits for a decision.'],
  late: ['没有超时的诉求。', 'Nothing is late.'],
  endangered: ['没有临近超时的诉求。', 'Nothing is endangered.'],
  disputes: ['没有职责争议。', 'Nobody disputes competence.'],
  chased: ['没有群众催办。', 'Nobody chases.'],
  extensions: ['没有延期申请。', 'Nobody asks for more time.'],
  merges: ['没有待确认的并案。', 'No merge is proposed.'],
  all: ['没有诉求。', 'No cases.'],
};
export const emptyWord = (list: ListName) => say(...empty[list]);

/** Who may ask for the whole number of whoever brought a case: operators, and the unit that leads it. The platform decides and keeps each opening. */
export function mayOpenPhone({ role, scope }: { role: Role; scope: string }, file: Pick<CaseLine, 'anonymous' | 'lead'>): boolean {
  if (file.anonymous) return false;
  return role === 'hotline_operator' || (role === 'unit_handler' && scope === `unit:${file.lead?.unit_id}`);
}
