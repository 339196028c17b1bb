// Views of the list that somebody has saved under a name: kept in this browser, for their account alone.

export interface View { name: string; address: string }

/** So many one keeps. */
export const MOST = 20;
const LONGEST = 40;

/** What was kept; nothing where it makes no sense. An address leads to the list and nowhere else. */
export function read(kept: string | null): View[] {
  try {
    const said: unknown = JSON.parse(kept ?? '[]');
    if (!Array.isArray(said)) return [];
    return (said as Partial<View>[])
      .filter((one): one is View => typeof one?.name === 'string' && typeof one.address === 'string' && /^\/alerts(\?|$)/.test(one.address))
      .slice(0, MOST);
  } catch {
    return [];
  }
}

/** With this view: under a name that is there it takes its place; the page one was on is no part of a view. */
export function withView(views: readonly View[], name: string, address: string): View[] {
  const called = [...name.trim()].slice(0, LONGEST).join('');
  if (!called) return [...views];
  const [path, query] = address.split('?');
  const asked = new URLSearchParams(query);
  asked.delete('cursor');
  const view = { name: called, address: asked.size ? `${path}?${asked}` : path! };
  const others = views.filter((one) => one.name !== called);
  return others.length < MOST ? [...others, view] : others;
}

export function without(views: readonly View[], name: string): View[] {
  return views.filter((one) => one.name !== name);
}
