// How many people an alert reaches: whoever is in its audience, or for an exercise those of them who are enrolled.
import { ask, ifThere, type AlertAudience, type AlertDetail, type AudienceCounts, type AudienceQuery } from './contract.ts';

export interface Reach { people: number; app: number; sms: number; unreachable: number }

/** Whom these counts mean: an exercise reaches its participants only. */
export function reachOf(counts: AudienceCounts, exercise: boolean): Reach {
  const { people, app, sms, unreachable } = exercise ? counts.drill : counts;
  return { people, app, sms, unreachable };
}

/** The query of an alert that has one; records name people by number instead. */
export function queryOf(alert: AlertDetail): AudienceQuery | null {
  return 'query' in alert.audience ? alert.audience.query : null;
}

/** How many people records name, where they do. */
export function namedOf(alert: AlertDetail): number | null {
  return 'residents' in alert.audience ? alert.audience.residents : null;
}

/** What is known of an alert's audience; each part is null where the platform does not tell it to the caller. */
export interface AudienceKnown { seen: AlertAudience | null; reach: Reach | null }

export async function readAudience(alert: AlertDetail): Promise<AudienceKnown> {
  const query = queryOf(alert);
  const named = namedOf(alert);
  const seen = await ifThere(ask<AlertAudience>(`/api/v1/alerts/${alert.alert_id}/audience`));
  if (seen) return { seen, reach: seen };
  if (query) {
    const counts = await ifThere(ask<AudienceCounts>('/api/v1/audience/size', query));
    return { seen: counts && seenOf(counts), reach: counts && reachOf(counts, alert.content.status === 'exercise') };
  }
  return { seen: null, reach: named === null ? null : { people: named, app: 0, sms: 0, unreachable: 0 } };
}

function seenOf(counts: AudienceCounts): AlertAudience {
  const { people, app, sms, unreachable } = counts;
  const largest = (list: { area: string; people: number }[]) => list.sort((one, other) => other.people - one.people);
  return {
    people, app, sms, unreachable,
    districts: largest(Object.entries(counts.districts).map(([area, of]) => ({ area, people: of.people }))),
    townships: largest(Object.entries(counts.townships).map(([area, people]) => ({ area, people }))),
    samples: [],
  };
}
