// Times typed into a form: always the city's (UTC+8 all year), whatever zone the device is set to.

const AHEAD = 8 * 3_600_000;

/** A time as a `datetime-local` field holds it: `2026-11-22T20:30`. */
export function asTyped(at: string | number): string {
  const time = new Date(at).getTime();
  return Number.isNaN(time) ? '' : new Date(time + AHEAD).toISOString().slice(0, 16);
}

/** What was typed, as the platform reads it; null while it is not a whole time. */
export function fromTyped(typed: string): string | null {
  const time = Date.parse(`${typed}:00Z`);
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(typed) && !Number.isNaN(time) ? new Date(time - AHEAD).toISOString() : null;
}
