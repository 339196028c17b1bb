// Cases that wait on the device until there is a way to the platform, and numbers that were given and not yet written down. Used by the page and
// by the service worker, so nothing here knows of a page. What somebody wrote signed in goes as theirs alone.
import { verdictOf, type Refusal, type Verdict } from '../outbox.ts';
import { change, kept } from '../device.ts';
import type { CaseTaken } from './contract.ts';
import { caseOf, type BegunKind, type Draft } from './form.ts';

/**
 * A case on its way. `by` is the number of the resident who wrote it; null of whoever was not signed in. `later`: why the platform did not take
 * it yet, where it said so, and `not_before` from when on it makes sense to ask again.
 */
export interface Posted { key: string; by: number | null; at: number; draft: Draft; refused?: Refusal; later?: Refusal; not_before?: number }

/** A number and its PIN, until whoever it is for has written them down. */
export interface Given { key: string; by: number | null; at: number; kind: BegunKind; number: string; pin: string; answer_by: string }

/** What is being written. */
export interface Written { by: number | null; at: number; draft: Draft }

const NAMES = { posted: 'cases_posted', given: 'cases_given', written: 'case_written' } as const;
const NOT_TAKEN: Refusal = { zh: '平台未接受，请修改后再提交。', en: 'The platform did not take it; change it and send it again.' };
const LONGEST = 15_000;
/** What nobody came back for is forgotten. */
const KEPT_FOR = 31 * 24 * 3_600_000;

const isOf = (by: number | null, now: number) => (one: { by: number | null; at: number }) => one.by === by && now < one.at + KEPT_FOR;

/** Adds a case; one that is sent twice is one. */
export const added = (before: readonly Posted[], one: Posted): Posted[] => [...before.filter(({ key }) => key !== one.key), one];

/** What is still to be sent, oldest first. */
const toGo = (all: readonly Posted[], by: number | null, now: number): Posted[] => all.filter((one) => !one.refused && isOf(by, now)(one)).sort((one, other) => one.at - other.at);

/** What can be sent now. */
export const toSend = (all: readonly Posted[], by: number | null, now: number): Posted[] => toGo(all, by, now).filter(({ not_before = 0 }) => now >= not_before);

/** What is left after the answer: what the platform refuses stays in sight with its reason, and so does what it puts off. */
export function settled(all: readonly Posted[], key: string, verdict: Verdict, said: Refusal | null, not_before?: number): Posted[] {
  if (verdict === 'taken') return all.filter((one) => one.key !== key);
  const why = verdict === 'refused' ? { refused: said ?? NOT_TAKEN } : said ? { later: said, ...(not_before && { not_before }) } : {};
  return all.map((one) => (one.key === key ? { ...one, ...why } : one));
}

/** What outlives a change of who is signed in. */
export function outliving(what: { posted: readonly Posted[]; given: readonly Given[]; written: Written | null }, stays: (by: number | null) => boolean): Record<string, unknown> {
  return {
    [NAMES.posted]: what.posted.filter(({ by }) => stays(by)),
    [NAMES.given]: what.given.filter(({ by }) => stays(by)),
    ...(what.written && stays(what.written.by) && { [NAMES.written]: what.written }),
  };
}

const allPosted = async () => (await kept<Posted[]>(NAMES.posted)) ?? [];
const allGiven = async () => (await kept<Given[]>(NAMES.given)) ?? [];

/** What of this module a device keeps when somebody comes or goes. */
export const keptOver = async (stays: (by: number | null) => boolean = () => true): Promise<Record<string, unknown>> =>
  outliving({ posted: await allPosted(), given: await allGiven(), written: (await kept<Written | null>(NAMES.written)) ?? null }, stays);

export const postedBy = async (by: number | null): Promise<Posted[]> => (await allPosted()).filter(isOf(by, Date.now()));
export const givenTo = async (by: number | null): Promise<Given[]> => (await allGiven()).filter(isOf(by, Date.now()));
export const post = (one: Posted): Promise<Posted[]> => change<Posted[]>(NAMES.posted, (before) => added(before ?? [], one));
export const takeBack = (key: string): Promise<Posted[]> => change<Posted[]>(NAMES.posted, (before) => (before ?? []).filter((one) => one.key !== key));
/** The number stands on paper now, or in a head: the device forgets it. */
export const writtenDown = (key: string): Promise<Given[]> => change<Given[]>(NAMES.given, (before) => (before ?? []).filter((one) => one.key !== key));

export const writing = async (by: number | null): Promise<Draft | null> => {
  const found = await kept<Written | null>(NAMES.written);
  return found && isOf(by, Date.now())(found) ? found.draft : null;
};
export const keepWriting = (draft: Draft | null, by: number | null): Promise<Written | null> =>
  change<Written | null>(NAMES.written, () => draft && { by, at: Date.now(), draft });

/** Sends what waits of this person; true when nothing is left that could be sent later. */
export async function sendCases(by: number | null, token: string | null): Promise<boolean> {
  const work = async (): Promise<boolean> => {
    for (const one of toSend(await allPosted(), by, Date.now())) {
      const { verdict, said, taken, not_before } = await send(one, token);
      // Kept before the case is away: a number is never lost between the two.
      if (taken) await change<Given[]>(NAMES.given, (before) => [...(before ?? []).filter(({ key }) => key !== one.key), { key: one.key, by, at: Date.now(), kind: one.draft.kind, ...taken }]);
      await change<Posted[]>(NAMES.posted, (before) => settled(before ?? [], one.key, verdict, said, not_before));
      if (verdict === 'later' || verdict === 'signed_out') return false;
    }
    return toGo(await allPosted(), by, Date.now()).length === 0;
  };
  // Two windows, or a window and the worker, take turns.
  return navigator.locks ? await navigator.locks.request('fenghuo.cases', work) : await work();
}

interface Sent { verdict: Verdict; said: Refusal | null; taken?: Pick<CaseTaken, 'number' | 'pin' | 'answer_by'>; not_before?: number }

interface Told { detail?: string; detail_en?: string; errors?: { reason: string; reason_en: string }[] | null }

/** Why it was not taken, with what is wrong in which field. */
export function refusalOf(told: Told | null): Refusal | null {
  if (!told?.detail) return null;
  const faults = told.errors ?? [];
  return { zh: [told.detail, ...faults.map(({ reason }) => reason)].join(' '), en: [told.detail_en ?? told.detail, ...faults.map(({ reason_en }) => reason_en)].join(' ') };
}

async function send(one: Posted, token: string | null): Promise<Sent> {
  const headers: Record<string, string> = { 'x-fenghuo-request': '1', 'content-type': 'application/json', 'idempotency-key': one.key };
  if (token) headers['authorization'] = `Bearer ${token}`;
  try {
    const answer = await fetch(token ? '/api/v1/me/cases' : '/api/v1/cases', { method: 'POST', headers, body: JSON.stringify(caseOf(one.draft)), signal: AbortSignal.timeout(LONGEST) });
    const verdict = verdictOf(answer.status);
    if (verdict === 'taken') {
      const { number, pin, answer_by } = (await answer.json()) as CaseTaken;
      return { verdict, said: null, taken: { number, pin, answer_by } };
    }
    const wait = Number(answer.headers.get('retry-after'));
    return { verdict, said: refusalOf((await answer.json().catch(() => null)) as Told | null), ...(wait > 0 && { not_before: Date.now() + wait * 1000 }) };
  } catch {
    return { verdict: 'later', said: null };
  }
}
