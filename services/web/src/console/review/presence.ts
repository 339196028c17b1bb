// Who else has an alert open, in words for the bar over it: whoever changes it comes first.
import type { Other } from './contract.ts';

/** How often a page says that it is open, in milliseconds; the platform forgets it after three of these. */
export const HEARTBEAT_MS = 15_000;

/** The others, those who edit first, then whoever came first. */
export function inOrder(others: readonly Other[]): Other[] {
  return [...others].sort((one, other) => Number(other.editing) - Number(one.editing) || Date.parse(one.since) - Date.parse(other.since));
}

/** Whether somebody changes it this moment: then whoever saves may overwrite. */
export function isEdited(others: readonly Other[]): boolean {
  return others.some(({ editing }) => editing);
}
