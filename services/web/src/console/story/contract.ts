// The whole story of an alert, as the platform tells it: one list in the order of time, each entry of its kind.
import { data, type Schema } from '../../api/client.ts';
import { api } from '../session.svelte.ts';

export type Person = Schema['StoryPerson'];
export type StoryEntry = Schema['StoryEntry'];
export type StoryPage = Schema['AlertStory'];

export const readStory = (alert: string, cursor: string | null): Promise<StoryPage> =>
  data(api.GET('/api/v1/alerts/{alert_id}/story', { params: { path: { alert_id: alert }, query: { limit: 500, ...(cursor && { cursor }) } } }));
