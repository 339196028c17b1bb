// How many people an audience has, as the platform tells it (CQ14): in tens, and fewer than ten, which may be nobody, as 9.

/** As it is read. */
export function headcount(people: number): string {
  return isFew(people) ? '<10' : people.toLocaleString('en-GB');
}

/** Whether it is only told that they are fewer than ten. */
export function isFew(people: number): boolean {
  return people < 10;
}

/** What whoever confirms a number of people types: the number, or 10 for fewer than ten. */
export function typable(people: number): number {
  return Math.max(people, 10);
}
