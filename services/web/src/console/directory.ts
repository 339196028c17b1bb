// The way to the city's own directory of staff from the sign-in page, and what became of a sign-in there.

const WHY = 'directory';
const refusals = ['away', 'broken_off', 'refused', 'not_bound', 'too_many'] as const;

/** Whether the platform leads somebody back to this page (`domain::console_path`): else the way to the directory would end at a problem. */
const isTaken = (page: string) => page.length <= 256 && /^[\w/.~%?&=+:,-]*$/.test(page);

/** Why somebody was led back from the directory without being let in. */
export type Refusal = (typeof refusals)[number];

/** The address that leads a browser to the directory, and from there back to this page. */
export function wayToDirectory(pathname: string, search: string): string {
  const query = new URLSearchParams(search);
  query.delete(WHY);
  const to = [pathname + (query.size ? `?${query}` : ''), pathname].find(isTaken) ?? '/console';
  return `/api/v1/session/directory/begin?${new URLSearchParams({ to })}`;
}

/** Why somebody was led back to this address; null where nobody was. What anybody else has written there is as good as refused. */
export function refusalIn(search: string): Refusal | null {
  const why = new URLSearchParams(search).get(WHY);
  return why === null ? null : (refusals.find((refusal) => refusal === why) ?? 'refused');
}
