// The platform's types that the alert pages use, by short names; and one way to ask for parts that a platform may lack or not
// show to everybody, so that the rest of a page stands without them.
import { data, Problem, type Schema } from '../../api/client.ts';
import { api } from '../session.svelte.ts';

export type AlertText = Schema['AlertText'];
export type AlertContent = Schema['AlertContent'];
export type HistoryLine = Schema['HistoryLine'];
export type AlertDetail = Schema['AlertDetail'];
export type AlertLine = Schema['AlertLine'];
export type Delivery = Schema['Delivery'];
export type Caution = Schema['Caution'];
export type AlertAudience = Schema['AlertAudience'];
export type AudienceQuery = Schema['AudienceQuery'];
export type Selection = Schema['Selection'];
export type AudienceCounts = Schema['AudienceCounts'];
export type FeedbackSummary = Schema['FeedbackSummary'];
export type MatchedRecords = Schema['MatchedRecords'];
export type Running = Schema['RunningDelivery'];
/** Words of one text that a reviewer objects to. */
export type Passage = Schema['Passage'];
export type TextField = Schema['TextField'];
export type Language = Schema['Language'];

export const textFields = ['headline', 'body', 'instruction', 'sms'] as const satisfies readonly TextField[];

/** Whether a deadline could be held: what POST /api/v1/forecast answers. */
export type Forecast = Schema['Answer'];

/** The platform asked by a path that is put together; its answer is what the caller says it is. */
const anyPath = api as unknown as Record<'GET' | 'POST', (path: string, init?: { body: unknown }) => Promise<{ data?: unknown }>>;

export async function ask<T>(path: string, body?: unknown): Promise<T> {
  const answer = body === undefined ? anyPath.GET(path) : anyPath.POST(path, { body });
  return (await data(answer)) as T;
}

/** What is asked for; null where the platform lacks it or does not show it to this caller. */
export async function ifThere<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (thrown) {
    if (thrown instanceof Problem && [400, 403, 404, 405].includes(thrown.status)) return null;
    throw thrown;
  }
}
