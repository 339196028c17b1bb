// How pressing a case is, and in which order cases are taken up. No I/O; the clocks are the platform's.
import type { CaseLine, Clock, ClockLine } from './contract.ts';

/** `fine` below half of its time, then what the warnings at 50, 80 and 100 % say. */
export type Pressing = 'fine' | 'half' | 'close' | 'late';

export function pressing(clock: Pick<ClockLine, 'late' | 'warning'> | null | undefined): Pressing {
  if (!clock) return 'fine';
  if (clock.late || clock.warning === 100) return 'late';
  return clock.warning === 80 ? 'close' : clock.warning === 50 ? 'half' : 'fine';
}

const TONES: Record<Pressing, 'jade' | 'sky' | 'amber' | 'fire'> = { fine: 'jade', half: 'sky', close: 'amber', late: 'fire' };
export const toneOf = (clock: Parameters<typeof pressing>[0]) => TONES[pressing(clock)];

/** How much of its time a clock has spent, as a bar shows it: 0 to 1, also when it is over. */
export const spent = ({ share }: Pick<ClockLine, 'share'>): number => Math.max(0, Math.min(1, share / 100));

/** Urgent help before everything, then what was raised, then what is due first; what has no clock comes last. */
export function inTurn<T extends Pick<CaseLine, 'kind' | 'state' | 'raised' | 'due' | 'number'>>(lines: readonly T[]): T[] {
  const rank = (line: T) => (isUntakenHelp(line) ? 0 : line.raised ? 1 : 2);
  const due = (line: T) => line.due?.due_at ?? '9999';
  return [...lines].sort((one, other) => rank(one) - rank(other) || due(one).localeCompare(due(other)) || one.number.localeCompare(other.number));
}

/** Urgent help that nobody has taken up. */
export const isUntakenHelp = ({ kind, state }: Pick<CaseLine, 'kind' | 'state'>): boolean => kind === 'urgent_help' && state === 'received';

/** Running clocks first, the one due first at the top; stopped ones after them, the newest first. */
export function clocksInTurn(clocks: readonly Clock[]): Clock[] {
  const [running, stopped] = [clocks.filter(({ stopped_at }) => !stopped_at), clocks.filter(({ stopped_at }) => stopped_at)];
  return [...running.sort((one, other) => one.due_at.localeCompare(other.due_at)), ...stopped.sort((one, other) => other.stopped_at!.localeCompare(one.stopped_at!))];
}

/** What the page shows of one more page: no case twice, whatever moved between the two. */
export function joined(before: readonly CaseLine[], after: readonly CaseLine[]): CaseLine[] {
  const known = new Set(before.map(({ number }) => number));
  return [...before, ...after.filter(({ number }) => !known.has(number))];
}
