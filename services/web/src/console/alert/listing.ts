// Which alerts a list shows: the filters as they stand in the address, and one page of them read from the platform.
import type { AlertLine } from './contract.ts';

export interface Filters { state: string; district: string; class: string; mine: boolean; before: string }

export const PAGE = 50;
/** The platform knows no filter by class: so many of its pages are looked through for one of ours. */
const LOOKS = 4;

export function filtersOf(query: URLSearchParams): Filters {
  const said = (name: string) => query.get(name) ?? '';
  return { state: said('state'), district: said('district'), class: said('class'), mine: said('mine') === 'true', before: said('before') };
}

/** The address of a list: what is not asked for is left out. */
export function addressOf(filters: Partial<Filters>): string {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value).map(([name, value]) => [name, String(value)]));
  const said = query.toString();
  return said ? `/alerts?${said}` : '/alerts';
}

export interface Listed { lines: AlertLine[]; /** From where the next page goes on; null when there is none. */ next: string | null }

/** One page of alerts, newest first. */
export async function list(filters: Filters, read: (query: URLSearchParams) => Promise<AlertLine[]>): Promise<Listed> {
  const lines: AlertLine[] = [];
  let before = filters.before;
  const limit = filters.class ? 200 : PAGE;
  for (let look = 0; look < LOOKS; look += 1) {
    const query = new URLSearchParams({ limit: String(limit) });
    if (filters.state) query.set('state', filters.state);
    if (filters.district) query.set('district', filters.district);
    if (filters.mine) query.set('mine', 'true');
    if (before) query.set('before', before);
    const found = await read(query);
    for (const line of found) {
      before = line.alert_id;
      if (filters.class && line.class !== filters.class) continue;
      lines.push(line);
      if (lines.length === PAGE) return { lines, next: line === found.at(-1) && found.length < limit ? null : before };
    }
    if (found.length < limit) return { lines, next: null };
  }
  return { lines, next: before || null };
}
