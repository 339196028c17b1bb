// The city at a glance, worked out of what the platform tells: how many alerts stand where, which districts are in danger, what the map
// shows. Exercises are left out unless asked for: nobody shall take one for the real thing.
import type { Schema } from '../../api/client.ts';

export type Row = Schema['OverviewRow'];
export type Running = Schema['RunningDelivery'];

const ENDED: readonly string[] = ['closed', 'refused', 'cancelled', 'superseded'];
/** Under review or with people: what a city has to look after. Drafts lie on their authors' desks. */
const isOpen = (row: Row) => !ENDED.includes(row.state) && row.state !== 'draft';
const counted = <T extends { exercise: boolean }>(all: readonly T[], exercises: boolean) => all.filter((one) => exercises || !one.exercise);

/** Still to reach somebody. */
export const isSending = (running: Running) => !running.handed_over_at && running.state !== 'active';

/** Whether the deadline will not be held, or was passed without everybody being reached. */
export function isInDanger(running: Running, now: number): boolean {
  return isSending(running) && (!!running.in_danger_since || !running.holds || Date.parse(running.due_at) < now);
}

export interface Numbers { district_review: number; city_review: number; awaiting_confirmation: number; sending: number; in_danger: number; exercises: number }

/** The numbers of the moment. */
export function numbers(rows: readonly Row[], running: readonly Running[], exercises: boolean, now: number): Numbers {
  const of = (state: Row['state']) => counted(rows, exercises).filter((row) => row.state === state).reduce((sum, row) => sum + row.count, 0);
  return {
    district_review: of('district_review'),
    city_review: of('city_review'),
    awaiting_confirmation: of('awaiting_confirmation'),
    sending: of('approved') + of('dispatching'),
    in_danger: counted(running, exercises).filter((one) => isInDanger(one, now)).length,
    exercises: rows.filter((row) => row.exercise && isOpen(row)).reduce((sum, row) => sum + row.count, 0),
  };
}

/** Since when the oldest alert stands there. */
export function oldest(rows: readonly Row[], state: Row['state'], exercises: boolean): string | null {
  const times = counted(rows, exercises).filter((row) => row.state === state).map((row) => row.oldest_changed_at);
  return times.sort()[0] ?? null;
}

export type Shown = 'alerts' | 'coverage' | 'lateness';
/** What lies in no district that could be named: alerts to the whole city, and to people whom records name. */
export const CITY = 'city';
const places = ({ reaches }: { reaches: string[] }) => (reaches.length ? reaches : [CITY]);

/** A number for every district that has one; `city` for what lies in none. An alert to several districts counts in each. */
export function values(shown: Shown, rows: readonly Row[], running: readonly Running[], exercises: boolean, now: number): Record<string, number> {
  const found: Record<string, number> = {};
  if (shown === 'alerts') {
    for (const row of counted(rows, exercises)) {
      if (isOpen(row)) for (const place of places(row)) found[place] = (found[place] ?? 0) + row.count;
    }
    return found;
  }
  const whole: Record<string, { done: number; of: number }> = {};
  for (const [one, place] of counted(running, exercises).flatMap((one) => places(one).map((place) => [one, place] as const))) {
    if (shown === 'lateness') found[place] = Math.max(found[place] ?? 0, lateness(one, now));
    else if (one.recipients > 0) {
      const sum = (whole[place] ??= { done: 0, of: 0 });
      sum.done += one.accepted;
      sum.of += one.recipients;
    }
  }
  for (const [place, { done, of }] of Object.entries(whole)) found[place] = Math.min(1, done / of);
  return found;
}

/** Minutes beyond the deadline: those that were, or are foreseen, and those that have passed. */
export function lateness(running: Running, now: number): number {
  const due = Date.parse(running.due_at);
  const foreseen = running.last_at ? Date.parse(running.last_at) - due : 0;
  const passed = isSending(running) && running.state !== 'waiting' ? now - due : 0;
  return Math.max(0, foreseen, passed) / 60_000;
}

/** Districts that need a look at once: an urgent alert waits, or a deadline is in danger. */
export function marks(rows: readonly Row[], running: readonly Running[], exercises: boolean, now: number): string[] {
  const waiting = counted(rows, exercises).filter((row) => row.state === 'awaiting_confirmation' || (row.class === 'urgent' && (row.state === 'approved' || row.state === 'dispatching')));
  const endangered = counted(running, exercises).filter((one) => isInDanger(one, now));
  return [...new Set([...waiting, ...endangered].flatMap((one) => one.reaches))];
}

/** Running deliveries in the order of what needs a look: in danger, then sending, each by deadline; those that are through last. */
export function inOrder(running: readonly Running[], now: number): Running[] {
  const rank = (one: Running) => (isInDanger(one, now) ? 0 : isSending(one) ? 1 : 2);
  return [...running].sort((a, b) => rank(a) - rank(b) || a.due_at.localeCompare(b.due_at));
}
