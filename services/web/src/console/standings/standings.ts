// What of the standings somebody of a role sees and does, and how their counts add up. No I/O; the platform decides what is shown to whom.
import type { Role } from '../../words/alert.ts';
import type { How } from '../../words/standing.ts';
import type { Standing, StandingSummary } from './contract.ts';

/** Which parts of the page a role has. */
export function partsFor(role: Role): { list: boolean; summary: boolean; named: boolean; contact: boolean } {
  const list = ['community_worker', 'district_reviewer', 'city_command_officer'].includes(role);
  return { list, summary: list || role === 'auditor', named: role === 'auditor' || role === 'city_command_officer', contact: role === 'community_worker' || role === 'district_reviewer' };
}

/** The length of a reason to lift something, as the platform takes it. */
export const REASON = { least: 5, most: 200 };
export const isReason = (text: string) => {
  const length = [...text.trim()].length;
  return length >= REASON.least && length <= REASON.most;
};

/** What the page shows of one more page: nobody twice, whatever moved between the two. */
export function joined(before: readonly Standing[], after: readonly Standing[]): Standing[] {
  const known = new Set(before.map(({ standing_id }) => standing_id));
  return [...before, ...after.filter(({ standing_id }) => !known.has(standing_id))];
}

/** The reasons that occur, each once, to choose from. */
export function reasonsOf(rows: readonly StandingSummary[]): Pick<StandingSummary, 'reason' | 'label'>[] {
  return [...new Map(rows.map(({ reason, label }) => [reason, { reason, label }])).values()];
}

export interface Sum { reason: string; label: StandingSummary['label']; stands: number; lifted: number; by: Partial<Record<How, number>>; waiting: number; late: number; asked: number }

/** The counts of a reason over all districts, most that stand first. */
export function sums(rows: readonly StandingSummary[]): Sum[] {
  const by = new Map<string, Sum>();
  for (const row of rows) {
    const sum = by.get(row.reason) ?? { reason: row.reason, label: row.label, stands: 0, lifted: 0, by: {}, waiting: 0, late: 0, asked: 0 };
    sum.stands += row.stands;
    for (const [how, count] of Object.entries(row.lifted) as [How, number][]) {
      sum.lifted += count;
      sum.by[how] = (sum.by[how] ?? 0) + count;
    }
    sum.waiting += row.objections_waiting;
    sum.late += row.objections_late;
    sum.asked += row.asked_30_days;
    by.set(row.reason, sum);
  }
  return [...by.values()].sort((one, other) => other.stands - one.stands || one.reason.localeCompare(other.reason));
}

/** Who waits first: objections that nobody answered, then what ends last. */
export function inTurn(standings: readonly Standing[]): Standing[] {
  return [...standings].sort((one, other) => Number(other.objection_waits) - Number(one.objection_waits) || (other.until ?? '').localeCompare(one.until ?? '') || one.standing_id - other.standing_id);
}
