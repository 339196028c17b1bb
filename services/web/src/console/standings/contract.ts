// What stands against people, as staff see it: without names and numbers, which are opened one by one with a reason.
// TO GO: these shapes stand here until the platform's own description has them; then each is `Schema['…']` of the same name.
import { ask } from '../alert/contract.ts';
import type { Evidence, How, InTongues, Lifter, LiftedBy } from '../../words/standing.ts';

export interface Standing {
  standing_id: number;
  resident_no: number;
  alert_id: string;
  reason: string;
  label: InTongues;
  measure: InTongues;
  state: 'stands' | 'lifted';
  lifted: { how: How; at: string } | null;
  opened_at: string;
  since: string | null;
  until: string | null;
  evidence: Evidence[];
  lifted_by: LiftedBy | null;
  who: Lifter[];
  you_may_lift: boolean;
  community: string;
  district: string;
  sent_by: string;
  objection_waits: boolean;
}

export interface StandingPage { standings: Standing[]; next: string | null }

export interface StandingSummary {
  reason: string;
  label: InTongues;
  district: string;
  stands: number;
  lifted: Record<How, number>;
  objections_waiting: number;
  objections_late: number;
  asked_30_days: number;
}

/** What a rule says of what its alerts leave with people. */
export interface LeavesStanding {
  reason: string;
  label: InTongues;
  measure: InTongues;
  stands_for_days?: number | null;
  lifted_by?: { lifts: InTongues } | null;
  who?: Lifter[];
  asked_for?: { code: string; label: InTongues }[];
}

export interface NamedByHand { alert_id: string; headline: string; state: string; status: string; people: number; named_by: string; named_at: string; justification: string | null; approved_at: string | null }
export interface NamedByHandPage { alerts: NamedByHand[]; next: string | null }

export interface Asked { state: 'stands' | 'lifted'; reason: string }

export function readStandings({ state, reason }: Asked, after?: string | null): Promise<StandingPage> {
  const query = new URLSearchParams({ state, ...(reason && { reason }), ...(after && { after }) });
  return ask(`/api/v1/standings?${query}`);
}
export const readSummary = () => ask<StandingSummary[]>('/api/v1/standings/summary');
export const readNamedByHand = (after?: string | null) => ask<NamedByHandPage>(`/api/v1/alerts/named-by-hand${after ? `?${new URLSearchParams({ after })}` : ''}`);
export const lift = (id: number, reason: string) => ask<unknown>(`/api/v1/standings/${id}/lift`, { reason });
