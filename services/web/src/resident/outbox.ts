// What a resident said and the platform does not know yet: acknowledgements and feedback. Kept on the device, sent when there is a
// way, by the page or by the service worker; one of them at a time. Used by both, so nothing here knows of a page.
import { change, kept } from './device.ts';
import type { FeedbackKind } from './contract.ts';

export type Entry =
  | { kind: 'acknowledgement'; id: string; alert_id: string; at: number }
  | { kind: 'feedback'; id: string; alert_id: string; at: number; headline: string; about: FeedbackKind; text: string; refused?: Refusal };

/** Why the platform did not take something, in its own words. */
export interface Refusal { zh: string; en: string }

/** What an answer means for what was sent. */
export type Verdict = 'taken' | 'later' | 'refused' | 'signed_out';

const NAME = 'outbox';
const LONGEST = 15_000;

/** Adds an entry; a person acknowledges an alert once, however often they press. */
export function added(entries: readonly Entry[], entry: Entry): Entry[] {
  const again = entry.kind === 'acknowledgement' && entries.some((known) => known.kind === 'acknowledgement' && known.alert_id === entry.alert_id);
  return again ? [...entries] : [...entries, entry];
}

/** Acknowledgements go first: they stop a reminder. Then in the order in which they were said. */
export function inOrder(entries: readonly Entry[]): Entry[] {
  const rank = (entry: Entry) => (entry.kind === 'acknowledgement' ? 0 : 1);
  return entries.filter((entry) => !isRefused(entry)).sort((a, b) => rank(a) - rank(b) || a.at - b.at);
}

export function isRefused(entry: Entry): boolean {
  return entry.kind === 'feedback' && entry.refused !== undefined;
}

/** A way that is closed for now keeps the entry; only an answer about the entry itself ends it. */
export function verdictOf(status: number): Verdict {
  if (status >= 200 && status < 300) return 'taken';
  if (status === 401) return 'signed_out';
  if (status === 0 || status === 408 || status === 425 || status === 429 || status >= 500) return 'later';
  return 'refused';
}

/** What is left after the answer. An acknowledgement that is refused has nowhere to go; feedback stays, with the reason. */
export function settled(entries: readonly Entry[], id: string, verdict: Verdict, refusal?: Refusal): Entry[] {
  if (verdict === 'later' || verdict === 'signed_out') return [...entries];
  return entries.flatMap((entry) => {
    if (entry.id !== id) return [entry];
    if (verdict === 'refused' && entry.kind === 'feedback') return [{ ...entry, refused: refusal ?? { zh: '平台未接受这条反馈。', en: 'The platform did not take this.' } }];
    return [];
  });
}

export const waiting = async (): Promise<Entry[]> => (await kept<Entry[]>(NAME)) ?? [];
export const post = (entry: Entry): Promise<Entry[]> => change<Entry[]>(NAME, (before) => added(before ?? [], entry));
export const drop = (id: string): Promise<Entry[]> => change<Entry[]>(NAME, (before) => (before ?? []).filter((entry) => entry.id !== id));

/** A name for an entry, also where a page is not served securely. */
export const newId = (): string => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Sends what waits; true when nothing is left that could be sent later. */
export async function sendAll(token: string): Promise<boolean> {
  const work = async (): Promise<boolean> => {
    for (const entry of inOrder(await waiting())) {
      const { verdict, refusal } = await send(entry, token);
      await change<Entry[]>(NAME, (before) => settled(before ?? [], entry.id, verdict, refusal));
      if (verdict === 'later' || verdict === 'signed_out') return false;
    }
    return true;
  };
  // Two windows, or a window and the worker, take turns.
  return navigator.locks ? await navigator.locks.request('fenghuo.outbox', work) : await work();
}

async function send(entry: Entry, token: string): Promise<{ verdict: Verdict; refusal?: Refusal }> {
  const path = `/api/v1/me/alerts/${entry.alert_id}/${entry.kind}`;
  const headers: Record<string, string> = { authorization: `Bearer ${token}`, 'x-fenghuo-request': '1' };
  const init: RequestInit = { method: 'POST', headers, signal: AbortSignal.timeout(LONGEST) };
  if (entry.kind === 'feedback') {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify({ kind: entry.about, text: entry.text });
  }
  try {
    const answer = await fetch(path, init);
    const verdict = verdictOf(answer.status);
    if (verdict !== 'refused') return { verdict };
    const told = (await answer.json().catch(() => null)) as { detail?: string; detail_en?: string } | null;
    return told?.detail ? { verdict, refusal: { zh: told.detail, en: told.detail_en ?? told.detail } } : { verdict };
  } catch {
    return { verdict: 'later' };
  }
}
