// What a resident said and the platform does not know yet: acknowledgements and feedback. Kept on the device, sent when there is a
// way, by the page or by the service worker; one of them at a time. Used by both, so nothing here knows of a page.
import { change, kept } from './device.ts';
import type { FeedbackKind } from './contract.ts';

export type Entry =
  | { kind: 'acknowledgement'; id: string; alert_id: string; at: number; until?: number }
  | { kind: 'feedback'; id: string; alert_id: string; at: number; headline: string; about: FeedbackKind; text: string; refused?: Refusal };

/** Why the platform did not take something, in its own words. */
export interface Refusal { zh: string; en: string }

/** What an answer means for what was sent. `not_yet`: this one waits, the others go on. */
export type Verdict = 'taken' | 'later' | 'not_yet' | 'refused' | 'signed_out';

/** What somebody had not sent when the platform ended their sign-in: for nobody else, and not for ever. */
export interface LeftBehind { by: number; at: number; entries: Entry[] }

const NAME = 'outbox';
/** Acknowledgements that the platform did not take, by their alert: the person is told. */
const UNCOUNTED = 'uncounted';
const LONGEST = 15_000;
const DAY = 24 * 3_600_000;
/** So long after the end of its alert the platform takes an acknowledgement that was given before it. */
const LATE = DAY;
/** Alerts are valid for 30 days at most. */
const LEFT_FOR = 31 * DAY;

/** Until when it is worth sending an acknowledgement. */
export const untilOf = (expires_at: string): number => Date.parse(expires_at) + LATE;

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

/**
 * A way that is closed for now keeps the entry; only an answer about the entry itself ends it. While an alert lives, an inbox that does not hold
 * it yet may hold it later: a large one is planned for minutes, and its first are told before the last are known.
 */
export function verdictOf(status: number, entry?: Entry, now = Date.now()): Verdict {
  if (status >= 200 && status < 300) return 'taken';
  if (status === 401) return 'signed_out';
  if (status === 404 && entry?.kind === 'acknowledgement' && now < (entry.until ?? entry.at + DAY)) return 'not_yet';
  if (status === 0 || status === 408 || status === 425 || status === 429 || status >= 500) return 'later';
  return 'refused';
}

/** What is left after the answer. An acknowledgement that is refused has nowhere to go (its alert is then named among the uncounted); feedback stays, with the reason. */
export function settled(entries: readonly Entry[], id: string, verdict: Verdict, refusal?: Refusal): Entry[] {
  if (verdict === 'later' || verdict === 'not_yet' || verdict === 'signed_out') return [...entries];
  return entries.flatMap((entry) => {
    if (entry.id !== id) return [entry];
    if (verdict === 'refused' && entry.kind === 'feedback') return [{ ...entry, refused: refusal ?? { zh: '平台未接受这条反馈。', en: 'The platform did not take this.' } }];
    return [];
  });
}

/** What is left behind once this person's entries are added. */
export function leaving(left: readonly LeftBehind[], by: number, entries: readonly Entry[], now: number): LeftBehind[] {
  const before = taking(left, by, now);
  const all = entries.reduce<Entry[]>(added, before.entries);
  return all.length ? [...before.others, { by, at: now, entries: all }] : before.others;
}

/** What this person finds again, and what stays for others. */
export function taking(left: readonly LeftBehind[], by: number, now: number): { entries: Entry[]; others: LeftBehind[] } {
  const young = left.filter(({ at }) => now < at + LEFT_FOR);
  return { entries: young.filter((one) => one.by === by).flatMap(({ entries }) => entries), others: young.filter((one) => one.by !== by) };
}

/** Names under which the device keeps them. */
export const KEPT = { outbox: NAME, left: 'left' } as const;

export const uncounted = async (): Promise<string[]> => (await kept<string[]>(UNCOUNTED)) ?? [];
export const waiting = async (): Promise<Entry[]> => (await kept<Entry[]>(NAME)) ?? [];
export const post = (entry: Entry): Promise<Entry[]> => change<Entry[]>(NAME, (before) => added(before ?? [], entry));
export const drop = (id: string): Promise<Entry[]> => change<Entry[]>(NAME, (before) => (before ?? []).filter((entry) => entry.id !== id));

/** A name for an entry, also where a page is not served securely. */
export const newId = (): string => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Sends what waits; true when nothing is left that could be sent later. */
export async function sendAll(token: string): Promise<boolean> {
  const work = async (): Promise<boolean> => {
    let all = true;
    for (const entry of inOrder(await waiting())) {
      const { verdict, refusal } = await send(entry, token);
      if (verdict === 'refused' && entry.kind === 'acknowledgement') await change<string[]>(UNCOUNTED, (before) => [...new Set([...(before ?? []), entry.alert_id])].slice(-100));
      await change<Entry[]>(NAME, (before) => settled(before ?? [], entry.id, verdict, refusal));
      if (verdict === 'later' || verdict === 'signed_out') return false;
      if (verdict === 'not_yet') all = false;
    }
    return all;
  };
  // Two windows, or a window and the worker, take turns.
  return navigator.locks ? await navigator.locks.request('fenghuo.outbox', work) : await work();
}

/** Where an entry goes. How long ago an acknowledgement was given is told by this device's own clock, so a wrong one does no harm. */
export function pathOf(entry: Entry, now: number): string {
  const ago = Math.max(0, Math.round((now - entry.at) / 1000));
  return `/api/v1/me/alerts/${entry.alert_id}/${entry.kind}${entry.kind === 'acknowledgement' && ago > 0 ? `?ago_s=${ago}` : ''}`;
}

async function send(entry: Entry, token: string): Promise<{ verdict: Verdict; refusal?: Refusal }> {
  const headers: Record<string, string> = { authorization: `Bearer ${token}`, 'x-fenghuo-request': '1' };
  const init: RequestInit = { method: 'POST', headers, signal: AbortSignal.timeout(LONGEST) };
  if (entry.kind === 'feedback') {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify({ kind: entry.about, text: entry.text });
  }
  try {
    const answer = await fetch(pathOf(entry, Date.now()), init);
    const verdict = verdictOf(answer.status, entry);
    if (verdict !== 'refused') return { verdict };
    const told = (await answer.json().catch(() => null)) as { detail?: string; detail_en?: string } | null;
    return told?.detail ? { verdict, refusal: { zh: told.detail, en: told.detail_en ?? told.detail } } : { verdict };
  } catch {
    return { verdict: 'later' };
  }
}
