// Proposed changes of accounts and keys: what would differ, and which of them are an alarm.
import type { Schema } from '../../api/client.ts';

export type Proposal = Schema['Proposal'];
export type Step = Proposal['open_steps'][number];
export type Part = 'name' | 'role' | 'scope';

const ALARM_MS = 7 * 86_400_000;

/** The parts of an account that a change would make different. */
export function differences(change: Proposal['change']): Part[] {
  if (change.kind !== 'change_account') return [];
  const { before, after } = change;
  return (['name', 'role', 'scope'] as const).filter((part) => before[part] !== after[part]);
}

/** Whose account or key it is about: a login, or a unit. */
export function aboutWhom({ change, staff }: Pick<Proposal, 'change' | 'staff'>): string {
  if (change.kind === 'make_account') return change.account.login;
  if (change.kind === 'move_key') return change.unit;
  return change.kind === 'make_key' ? change.key.unit : (staff?.login ?? '');
}

/** Those that somebody has to look at: a change that one administrator makes alone, until a week after. */
export function alarms(proposals: readonly Proposal[], now: number): Proposal[] {
  return proposals.filter(
    ({ emergency, state, decided_at }) => emergency && (state === 'waiting' || (state === 'effective' && decided_at && now - Date.parse(decided_at) < ALARM_MS)),
  );
}
