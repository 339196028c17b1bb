// Who reviews an alert now, as seen by whoever has it open, and what they can do about it. Nobody is locked out: a claim says who has it, no more.
import type { Schema } from '../../api/client.ts';
import type { Claim } from './contract.ts';

export type Claimed =
  | { by: 'nobody'; may: boolean }
  | { by: 'me'; until: string }
  | { by: 'other'; who: string; until: string; may: boolean };

/** How a claim stands for `me` at this moment; one that has lapsed is none, whenever it was read. */
export function claimed(alert: Partial<Pick<Schema['InReview'], 'claimed_by' | 'claimed_until' | 'may_claim'>>, me: string | undefined, now: number): Claimed {
  const { claimed_by, claimed_until, may_claim = false } = alert;
  if (!claimed_by || !claimed_until || Date.parse(claimed_until) <= now) return { by: 'nobody', may: may_claim };
  if (claimed_by === me) return { by: 'me', until: claimed_until };
  return { by: 'other', who: claimed_by, until: claimed_until, may: may_claim };
}

/** Who took it over from `me`, where somebody did; a claim that lapsed was taken by nobody. */
export function takenBy(before: Claim | null, after: Claim, me: string | undefined): string | null {
  return me && before?.claimed_by === me && after.claimed_by && after.claimed_by !== me ? after.claimed_by : null;
}

/** A claim is prolonged while its holder looks, once so little of it is left, in milliseconds. */
export const PROLONG_MS = 5 * 60_000;

export function isToProlong(claim: Claimed, now: number): boolean {
  return claim.by === 'me' && Date.parse(claim.until) - now < PROLONG_MS;
}
