// Sending again to those whom an alert did not reach: what there is to be asked for.
import type { Schema } from '../../api/client.ts';

export interface Told { state: string; waves: readonly { wave: number; unreachable: number }[]; sent_again: readonly Schema['SendingAgain'][] }

export interface Again {
  /** How many were not reached. */
  people: number;
  /** Which round it would be. */
  round: number;
  /** Whether it can be asked for: the alert is being sent or holds, somebody was not reached, and no round is under way. */
  possible: boolean;
}

export function again({ state, waves, sent_again }: Told): Again {
  const people = waves.find((wave) => wave.wave === 1)?.unreachable ?? 0;
  const underWay = sent_again.some((round) => !round.planned_at);
  const live = state === 'dispatching' || state === 'active';
  return { people, round: Math.max(0, ...sent_again.map((round) => round.round)) + 1, possible: live && people > 0 && !underWay };
}
