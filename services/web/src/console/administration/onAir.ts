// Which alerts are on which screen, out of the screens of each alert in force.
import type { Schema } from '../../api/client.ts';
import { data, Problem } from '../../api/client.ts';
import { api } from '../session.svelte.ts';

export interface OnAir { alert_id: string; headline: string; first_shown_at: string | null; plays: number }

type Showing = Schema['Showing'];

/** Alerts that are looked at; a city has few in force at once that screens show. */
const LOOKED_AT = 40;

/** By screen, what it was given and has shown of what is in force. */
export async function onAir(): Promise<Map<string, OnAir[]>> {
  const states = ['active', 'dispatching'] as const;
  const lines = (await Promise.all(states.map((state) => data(api.GET('/api/v1/alerts', { params: { query: { state, limit: LOOKED_AT } } }))))).flat();
  const shown = await Promise.all(lines.map(async (line) => {
    const showings = await data(api.GET('/api/v1/alerts/{id}/screens', { params: { path: { id: line.alert_id } } })).catch((thrown: unknown) => {
      // Not every alert is for screens.
      if (thrown instanceof Problem && thrown.status === 404) return [] as Showing[];
      throw thrown;
    });
    return { line, showings };
  }));
  const by = new Map<string, OnAir[]>();
  for (const { line, showings } of shown) {
    for (const { screen_id, first_shown_at, plays } of showings) {
      by.set(screen_id, [...(by.get(screen_id) ?? []), { alert_id: line.alert_id, headline: line.headline, first_shown_at: first_shown_at ?? null, plays }]);
    }
  }
  return by;
}
