// Who uses the app: the token that proves it, kept on this device alone, and what the platform has stored about the person.
import { Problem } from '../api/client.ts';
import { speak, type Tongue } from '../words/say.svelte.ts';
import type { Profile } from './contract.ts';
import { keptOver } from './cases/posting.ts';
import { change, forgetAll, keep, kept } from './device.ts';
import { KEPT, leaving, taking, waiting, type LeftBehind } from './outbox.ts';
import { ask, type Answer } from './platform.ts';

const state = $state<{ token: string | null; known: boolean; profile: Profile | null; ended: boolean; why: Problem | null; left: number }>({ token: null, known: false, profile: null, ended: false, why: null, left: 0 });

const EARLIER = 'earlier_token';

export const token = () => state.token;
export const profile = () => state.profile;
/** Whether it is known yet if somebody is signed in. */
export const isKnown = () => state.known;
/** Whether the platform ended the sign-in. */
export const hasEnded = () => state.ended;

/** Why it did, where it says more than that. */
export const whyEnded = () => state.why;

/** How much waits to be sent until the person whose sign-in was ended signs in again. */
export const leftBehind = () => state.left;

/** Remembers who is signed in on this device. */
export async function recall(): Promise<void> {
  state.token = (await kept<string>('token')) ?? null;
  state.profile = (await kept<Profile>('profile')) ?? null;
  state.known = true;
  if (state.token) await look().catch(() => {});
}

/** Asks with the resident's token. A token that is no longer good signs out; what waits to be sent is kept for the same person. */
export async function asked<T>(method: string, path: string, more: { body?: unknown; tag?: string | undefined } = {}): Promise<Answer<T>> {
  const by = state.token;
  try {
    return await ask<T>(method, path, { ...more, token: by });
  } catch (thrown) {
    if (thrown instanceof Problem && thrown.status === 401 && by && by === state.token) {
      await lose(thrown.code === 'credential_unknown' ? null : thrown);
    }
    throw thrown;
  }
}

/** Reads what is stored about the person. */
export async function look(): Promise<void> {
  const { data } = await asked<Profile>('GET', '/api/v1/me');
  if (!data) return;
  state.profile = data;
  await keep('profile', data);
}

/** Lets somebody in. What they had not sent when they were signed out is theirs again; what others left stays where it is. */
export async function enter(newToken: string, no: number): Promise<void> {
  const { entries, others } = taking((await kept<LeftBehind[]>(KEPT.left)) ?? [], no, Date.now());
  await forgetAll({ ...(await keptOver()), token: newToken, resident_no: no, [KEPT.outbox]: entries, [KEPT.left]: others });
  state.ended = false;
  state.why = null;
  state.left = 0;
  state.token = newToken;
  state.known = true;
  await look().catch(() => {});
}

/** Signs out: nothing of the person stays on the device. */
export async function leave(): Promise<void> {
  const others = await leftBy([]);
  const no = await ownNumber();
  const cases = await keptOver((by) => by === null || (no !== undefined && by !== no));
  state.token = null;
  state.profile = null;
  await forgetAll({ ...cases, [KEPT.left]: others });
}

/** The platform has ended the sign-in: nothing stays in sight, and what was not sent waits for the same person. */
async function lose(why: Problem | null): Promise<void> {
  // At once: another request may be refused meanwhile, and would find nothing left to keep.
  const ended = state.token;
  state.token = null;
  const entries = await waiting();
  const left = await leftBy(entries);
  state.profile = null;
  state.ended = true;
  state.why = why;
  state.left = entries.length;
  await forgetAll({ ...(await keptOver()), [KEPT.left]: left, ...(ended && { [EARLIER]: ended }) });
}

/** What the platform ended last on this device: it opens nothing, and shows when a code is asked for that whoever asks was here before. */
export const earlierToken = async (): Promise<string | null> => (await kept<string>(EARLIER)) ?? null;

/** The number of the resident who is signed in, also where nothing else of them is known yet. */
export const ownNumber = async (): Promise<number | undefined> => (await kept<number>('resident_no')) ?? state.profile?.resident_no;

/** What is left behind when the person who is signed in leaves these; without knowing who it was, nothing of theirs is. */
async function leftBy(entries: Parameters<typeof leaving>[2]): Promise<LeftBehind[]> {
  const left = (await kept<LeftBehind[]>(KEPT.left)) ?? [];
  const no = await ownNumber();
  return no === undefined ? left : leaving(left, no, entries, Date.now());
}

/** Changes what is stored about the person. */
export async function amend(what: Partial<Pick<Profile, 'name' | 'community'>> & { language?: Tongue }): Promise<void> {
  await asked('PATCH', '/api/v1/me', { body: what });
  if (state.profile) state.profile = { ...state.profile, ...what };
  await change<Profile | undefined>('profile', (before) => before && { ...before, ...what });
}

/** Turns the app and the alerts themselves into this language. */
export async function understand(language: Tongue): Promise<void> {
  speak(language);
  if (state.token && state.profile && state.profile.language !== language) await amend({ language });
}
