// Which records are looked for, as it stands in the address, and how the platform is asked for them. Days are the city's, of when a record came.
import { setDays } from './filters.ts';

export interface Sought { id: string; source: string; kind: string; district: string; from: string; to: string; cursor: string }

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function soughtOf(query: URLSearchParams): Sought {
  const said = (name: string) => query.get(name) ?? '';
  const day = (name: string) => (DAY.test(said(name)) ? said(name) : '');
  return { id: said('id').trim(), source: said('source').trim(), kind: said('kind'), district: said('district'), from: day('from'), to: day('to'), cursor: said('cursor') };
}

export function addressOf(sought: Partial<Sought>): string {
  const said = new URLSearchParams(Object.entries(sought).filter(([, value]) => value)).toString();
  return said ? `/sources/records?${said}` : '/sources/records';
}

export function askedOf(sought: Sought): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['id', 'source', 'kind', 'district', 'cursor'] as const) if (sought[name]) query.set(name, sought[name]);
  setDays(query, sought);
  return query;
}
