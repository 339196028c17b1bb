// Audiences as they are put together: areas that take others in, groups that say something, and what is sent to the platform.
import type { AudienceQuery, Selection } from './contract.ts';

/** Whether one area lies in another; `city` holds all. */
export function holds(area: string, other: string): boolean {
  return area === 'city' || other === area || other.startsWith(area);
}

/** The areas with one more: what it holds is dropped, and it is dropped if one there holds it. */
export function withArea(areas: readonly string[], added: string): string[] {
  if (areas.some((area) => holds(area, added))) return [...areas];
  return [...areas.filter((area) => !holds(added, area)), added];
}

export function blank(): Selection {
  return { areas: [], industries: [], languages: [] };
}

/** Whether a group asks nothing at all. */
export function isBlank(selection: Selection): boolean {
  return !selection.areas?.length && !selection.industries?.length && !selection.languages?.length;
}

/** The query without groups that are not begun yet; null as long as it would select nobody or is not complete. */
export function ready(query: AudienceQuery): AudienceQuery | null {
  const include = query.include.filter((selection) => !isBlank(selection));
  if (include.length === 0 || include.some((selection) => !selection.areas?.length)) return null;
  return { include, exclude: (query.exclude ?? []).filter((selection) => !isBlank(selection)) };
}

/** The one district that everybody selected lives in; null for several or the whole city, whose alert is the city's. */
export function districtOf(query: AudienceQuery): string | null {
  const areas = query.include.flatMap((selection) => selection.areas ?? []);
  const districts = new Set(areas.map((area) => (area === 'city' ? 'city' : area.slice(0, 6))));
  const [first] = districts;
  return districts.size === 1 && first && first !== 'city' ? first : null;
}
