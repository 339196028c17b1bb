// Which unit delivered last, and when: out of the list of loads.
import type { Report } from './send.ts';

export interface Arrival {
  source: string;
  last: Report;
  /** Over the loads that are listed. */
  loads: number;
  accepted: number;
  refused: number;
}

/** Every source once, the one that has been silent for longest first. */
export function arrivals(loads: readonly Report[]): Arrival[] {
  const by = new Map<string, Arrival>();
  for (const load of loads) {
    const known = by.get(load.source);
    if (!known) by.set(load.source, { source: load.source, last: load, loads: 1, accepted: load.accepted, refused: load.refused });
    else {
      known.loads += 1;
      known.accepted += load.accepted;
      known.refused += load.refused;
      if (load.received_at > known.last.received_at) known.last = load;
    }
  }
  return [...by.values()].sort((one, other) => one.last.received_at.localeCompare(other.last.received_at));
}

export type Standing = 'running' | 'stuck' | 'complete' | 'some_refused' | 'broken_off' | 'too_large';

/** A load that has not ended after so long was cut off with its process. */
const STUCK_MS = 6 * 3_600_000;

/** Where a load stands. */
export function standing(load: Report, now: number): Standing {
  if (!load.finished_at) return now - Date.parse(load.received_at) > STUCK_MS ? 'stuck' : 'running';
  if (load.ending === 'broken_off' || load.ending === 'too_large') return load.ending;
  return load.refused > 0 ? 'some_refused' : 'complete';
}
