// What was just decided, said on the page one is taken to next: a decision cannot be undone, so it is stated plainly, once.

export interface Told { zh: string; en: string; alert_id: string; headline: string; exercise: boolean }

let waiting: Told | null = null;

/** Leaves a statement for the next page. */
export function tell(told: Told): void {
  waiting = told;
}

/** The statement that waits, if one does. */
export function told(): Told | null {
  return waiting;
}

/** It was seen: it is not said again. */
export function heardOut(seen: Told): void {
  if (waiting === seen) waiting = null;
}
