// Follow-ups as visits: one call to a person settles all alerts that did not reach or move them.
import type { FollowUp } from './contract.ts';

export interface Person {
  resident_no: number;
  community: string;
  /** Oldest first. */
  items: FollowUp[];
  /** All of them are parts of an exercise: nobody is really to be called. */
  exercise: boolean;
}

/** People to visit: real ones before those of an exercise, then who has waited longest. */
export function people(items: readonly FollowUp[]): Person[] {
  const by = new Map<string, Person>();
  for (const item of items) {
    // An exercise and the real thing are never settled by one outcome.
    const key = `${item.resident_no}/${item.exercise}`;
    const known = by.get(key);
    if (known) known.items.push(item);
    else by.set(key, { resident_no: item.resident_no, community: String(item.community), items: [item], exercise: item.exercise });
  }
  const found = [...by.values()];
  for (const person of found) person.items.sort((one, other) => one.opened_at.localeCompare(other.opened_at) || one.id - other.id);
  return found.sort((one, other) => Number(one.exercise) - Number(other.exercise) || one.items[0]!.opened_at.localeCompare(other.items[0]!.opened_at) || one.resident_no - other.resident_no);
}
