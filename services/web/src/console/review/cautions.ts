// Which cautions a step asks to be known: those about sending of whoever sends, open comments of whoever takes it on its way, somebody else's claim of whoever decides.
import type { Step } from '../alert/steps.ts';
import type { Caution } from './contract.ts';

const sends: readonly Step[] = ['approve', 'confirm'];
const forward: readonly Step[] = [...sends, 'pass_district', 'submit', 'compose_urgent'];
const decides: readonly Step[] = [...sends, 'pass_district', 'return_district', 'return_city', 'refuse', 'decline'];

export function isAskedOf(caution: Caution, step: Step): boolean {
  if (caution === 'claimed_by_other') return decides.includes(step);
  if (caution === 'open_comments') return forward.includes(step);
  return sends.includes(step);
}

/** Refusals that ask for something to be known, and then go. */
export const asking: readonly Caution[] = ['reaches_nobody', 'cut_by_quiet_hours', 'no_reminder', 'open_comments', 'claimed_by_other', 'contradicts_another'];
