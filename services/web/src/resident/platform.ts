// How the app asks the platform: with the resident's token, with an end to waiting, and telling "nothing new" from an answer.
import { away, problemOf } from '../api/client.ts';
import { heard } from '../words/time.svelte.ts';

const LONGEST = 15_000;

export interface Answer<T> {
  /** Missing where nothing is new since the tag, or nothing was to be answered. */
  data?: T;
  tag?: string;
}

interface Question { body?: unknown; token?: string | null; tag?: string | undefined }

/** Asks, and throws a `Problem` where the platform refuses or is away. */
export async function ask<T>(method: string, path: string, { body, token, tag }: Question = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = { 'x-fenghuo-request': '1' };
  if (token) headers['authorization'] = `Bearer ${token}`;
  if (tag) headers['if-none-match'] = tag;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const init: RequestInit = { method, headers, cache: 'no-store', signal: AbortSignal.timeout(LONGEST) };
  if (body !== undefined) init.body = JSON.stringify(body);
  const answer = await fetch(path, init).catch(() => {
    throw away();
  });
  heard(answer.headers.get('x-fenghuo-time'));
  if (answer.status === 304) return {};
  if (!answer.ok) throw await problemOf(answer);
  const newTag = answer.headers.get('etag');
  if (answer.status === 204) return {};
  const data = (await answer.json().catch(() => undefined)) as T;
  return newTag ? { data, tag: newTag } : { data };
}
