// What somebody did, out of the audit trail, for themselves.
import { data, type Schema } from '../../api/client.ts';
import { api } from '../session.svelte.ts';

export type Act = Omit<Schema['OwnAct'], 'detail'> & { detail: Record<string, unknown> };
export interface ActPage { acts: Act[]; next?: number | null }

export const readActs = async (before: number | null, limit: number): Promise<ActPage> =>
  (await data(api.GET('/api/v1/session/acts', { params: { query: { limit, ...(before !== null && { before }) } } }))) as ActPage;
