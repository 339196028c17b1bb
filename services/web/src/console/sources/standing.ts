// Where a load stands, as it is told in a word.
import type { Report } from './send.ts';

export type Standing = 'running' | 'stuck' | 'complete' | 'some_refused' | 'broken_off' | 'too_large' | 'waiting' | 'discarded';

/** A load that has not ended after so long was cut off with its process. */
const STUCK_MS = 6 * 3_600_000;

/** Where a load stands. */
export function standing(load: Report, now: number): Standing {
  const held = load.held?.state;
  if (held === 'waiting') return 'waiting';
  if (held === 'discarded' || held === 'expired') return 'discarded';
  if (held === 'releasing') return 'running';
  if (!load.finished_at) return now - Date.parse(load.received_at) > STUCK_MS ? 'stuck' : 'running';
  if (load.ending === 'broken_off' || load.ending === 'too_large') return load.ending;
  return load.refused > 0 ? 'some_refused' : 'complete';
}
