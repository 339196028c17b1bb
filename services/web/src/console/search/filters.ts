// Which alerts a list shows, as it stands in the address, and how the platform is asked for them. Days are the city's.
import { fromTyped } from '../alert/citytime.ts';

export interface Filters {
  /** What was typed: words, a short code, a number. */
  q: string;
  state: string;
  district: string;
  class: string;
  mine: boolean;
  rule: string;
  /** The first and the last day, both included: `2026-11-22`. */
  from: string;
  to: string;
  cursor: string;
}

export const PAGE = 50;
/** The platform passes over words shorter than this. */
export const SHORTEST = 2;
/** So many characters of a search are used. */
export const LONGEST = 200;

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function filtersOf(query: URLSearchParams): Filters {
  const said = (name: string) => query.get(name) ?? '';
  const day = (name: string) => (DAY.test(said(name)) ? said(name) : '');
  return { q: said('q').trim(), state: said('state'), district: said('district'), class: said('class'), mine: said('mine') === 'true', rule: said('rule'), from: day('from'), to: day('to'), cursor: said('cursor') };
}

/** The address of a list: what is not asked for is left out. */
export function addressOf(filters: Partial<Filters>): string {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value).map(([name, value]) => [name, String(value)]));
  const said = query.toString();
  return said ? `/alerts?${said}` : '/alerts';
}

/** Whether anything is asked for but the newest. */
export function isFiltered(filters: Filters): boolean {
  const { cursor: _, ...asked } = filters;
  return Object.values(asked).some(Boolean);
}

/** What of a search the platform can look for: words of two characters and more. */
export function wordsOf(q: string): string[] {
  return q.trim().split(/\s+/u).filter((word) => [...word].length >= SHORTEST);
}

/** Whether something was typed that is too short to be looked for. */
export function isTooShort(q: string): boolean {
  return q.trim() !== '' && wordsOf(q).length === 0;
}

/** The day after: what a list up to a day ends before. */
export function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

/** Puts whole days of the city into a question: from the first on, before the day after the last. */
export function setDays(query: URLSearchParams, { from, to }: Pick<Filters, 'from' | 'to'>): void {
  const start = from && fromTyped(`${from}T00:00`);
  const end = to && fromTyped(`${dayAfter(to)}T00:00`);
  if (start) query.set('from', start);
  if (end) query.set('to', end);
}

/** How the platform is asked; without the page and its length for a list as a file. */
export function askedOf(filters: Filters, paged = true): URLSearchParams {
  const query = new URLSearchParams();
  const q = wordsOf(filters.q).join(' ');
  if (q) query.set('q', [...q].slice(0, LONGEST).join(''));
  for (const name of ['state', 'class', 'district', 'rule'] as const) if (filters[name]) query.set(name, filters[name]);
  setDays(query, filters);
  if (filters.mine) query.set('author', 'mine');
  if (paged) {
    if (filters.cursor) query.set('cursor', filters.cursor);
    query.set('limit', String(PAGE));
  }
  return query;
}

export type Span = 'today' | 'week' | 'month' | 'year' | 'last_year';

/** The days of a span, as of the city's today. */
export function daysOf(span: Span, today: string): { from: string; to: string } {
  const back = (days: number) => new Date(Date.parse(`${today}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10);
  const year = Number(today.slice(0, 4));
  switch (span) {
    case 'today':
      return { from: today, to: today };
    case 'week':
      return { from: back(6), to: today };
    case 'month':
      return { from: back(29), to: today };
    case 'year':
      return { from: `${year}-01-01`, to: today };
    case 'last_year':
      return { from: `${year - 1}-01-01`, to: `${year - 1}-12-31` };
  }
}
