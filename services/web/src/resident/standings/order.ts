// Which of what stands against somebody is shown where, and what can be done about it. No I/O.
import type { MyStanding, Objection } from './contract.ts';

/** What is asked of them now, the longest first. */
export const standing = (all: readonly MyStanding[]) => all.filter(({ state }) => state === 'stands').sort((one, other) => (other.until ?? '').localeCompare(one.until ?? ''));

/** What was, the newest end first. */
export const lifted = (all: readonly MyStanding[]) => all.filter(({ state }) => state === 'lifted').sort((one, other) => (other.lifted?.at ?? '').localeCompare(one.lifted?.at ?? ''));

/** What an alert has left behind with them. */
export const ofAlert = (all: readonly MyStanding[], alert: string) => all.find(({ alert_id, state }) => alert_id === alert && state === 'stands') ?? all.find(({ alert_id }) => alert_id === alert);

/** Where an objection stands: answered, waiting in time, or waiting for longer than it may. */
export function objectionState(objection: Objection, now: number): 'answered' | 'waits' | 'late' {
  if (objection.answered_at) return 'answered';
  return objection.answer_by && Date.parse(objection.answer_by) < now ? 'late' : 'waits';
}

/** The longest that an objection may be, as the platform takes it. */
export const OBJECTION_LIMIT = 500;
