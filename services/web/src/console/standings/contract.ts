// What stands against people, as staff see it: without names and numbers, which are opened one by one with a reason.
import { data, type Schema } from '../../api/client.ts';
import type { How } from '../../words/standing.ts';
import { api } from '../session.svelte.ts';

export type Standing = Schema['AreaStanding'];
export type StandingPage = Schema['StandingPage'];
/** What stands in one district for one reason, and how many ended by what. */
export type StandingSummary = Omit<Schema['StandingSummary'], 'lifted'> & { lifted: Record<How, number> };
/** What a rule says of what its alerts leave with people. */
export type LeavesStanding = Schema['StandingTerms'];
export type NamedByHand = Schema['NamedByHand'];
export type NamedByHandPage = Schema['NamedByHandPage'];

export interface Asked { state: Schema['StandingState']; reason: string }

export const readStandings = ({ state, reason }: Asked, after?: string | null): Promise<StandingPage> =>
  data(api.GET('/api/v1/standings', { params: { query: { state, ...(reason && { reason }), ...(after && { after }) } } }));
export const readSummary = async (): Promise<StandingSummary[]> => (await data(api.GET('/api/v1/standings/summary'))) as StandingSummary[];
export const readNamedByHand = (after?: string | null): Promise<NamedByHandPage> => data(api.GET('/api/v1/alerts/named-by-hand', { params: { query: after ? { after } : {} } }));
export const lift = (id: number, reason: string) => data(api.POST('/api/v1/standings/{standing_id}/lift', { params: { path: { standing_id: id } }, body: { reason } }));
