// What somebody has brought: written, on its way, numbered, and what became of it. Kept on the device for times without network.
import { asProblem, type Problem } from '../../api/client.ts';
import { asked, ownNumber, token } from '../account.svelte.ts';
import { keep, kept } from '../device.ts';
import { ask } from '../platform.ts';
import type { CitizenCase, CitizenEvent, CitizenLine } from './contract.ts';
import { blank, isWrittenOn, type BegunKind, type Draft } from './form.ts';
import * as posting from './posting.ts';
import { newId } from '../outbox.ts';

const EVERY = 15_000;
const KEPT = 'cases';
const state = $state<{ ready: boolean; mine: CitizenLine[] | null; problem: Problem | null; sending: boolean }>({ ready: false, mine: null, problem: null, sending: false });
let posted = $state.raw<posting.Posted[]>([]);
let given = $state.raw<posting.Given[]>([]);
let written = $state.raw<Draft | null>(null);

/** Whether what is kept on the device was read. */
export const areReady = () => state.ready;
/** What the resident brought, newest first; null while it is not known. */
export const mine = () => state.mine;
export const problem = () => state.problem;
/** What waits to be sent or was refused. */
export const onTheirWay = () => posted;
/** Numbers that were not written down yet. */
export const unwritten = () => given;
/** What was begun and not sent. */
export const begunDraft = () => written;

/** Who writes: the resident who is signed in, or nobody in particular. */
const writer = async (): Promise<number | null> => (token() ? ((await ownNumber()) ?? null) : null);

/** Reads what is kept, sends what waits, and goes on doing so while something does. Returns how to stop. */
export function begin(): () => void {
  let stopped = false;
  void (async () => {
    await seeWhatIsKept();
    if (stopped) return;
    state.ready = true;
    await flush();
  })();
  const visible = () => document.visibilityState === 'visible' && posted.some(({ refused }) => !refused) && void flush();
  const told = (event: MessageEvent) => (event.data as { kind?: string } | null)?.kind === 'look' && void seeWhatIsKept();
  const timer = setInterval(visible, EVERY);
  addEventListener('online', visible);
  document.addEventListener('visibilitychange', visible);
  navigator.serviceWorker?.addEventListener('message', told);
  return () => {
    stopped = true;
    clearInterval(timer);
    removeEventListener('online', visible);
    document.removeEventListener('visibilitychange', visible);
    navigator.serviceWorker?.removeEventListener('message', told);
    Object.assign(state, { ready: false, mine: null, problem: null });
    [posted, given, written] = [[], [], null];
  };
}

async function seeWhatIsKept(): Promise<void> {
  const by = await writer();
  const both = async <T>(read: (by: number | null) => Promise<T[]>) => [...(await read(null)), ...(by === null ? [] : await read(by))];
  [posted, given] = [await both(posting.postedBy), await both(posting.givenTo)];
  written ??= (await posting.writing(by)) ?? (by === null ? null : await posting.writing(null));
  if (by !== null) state.mine ??= (await kept<CitizenLine[]>(KEPT)) ?? null;
}

/** Sends what waits: the resident's own as theirs, the rest as nobody's. */
async function flush(): Promise<void> {
  if (state.sending) return;
  state.sending = true;
  try {
    const by = await writer();
    const done = (await posting.sendCases(null, null)) && (by === null || (await posting.sendCases(by, token())));
    await seeWhatIsKept();
    if (done) return;
    // The browser sends it by itself when it is back, where it can.
    const ready = (await navigator.serviceWorker?.getRegistration()) as (ServiceWorkerRegistration & { sync?: { register(name: string): Promise<void> } }) | undefined;
    await ready?.sync?.register('cases').catch(() => {});
  } finally {
    state.sending = false;
  }
}

/** A sheet of this kind: the one that was begun, or an empty one. */
export function sheetOf(kind: BegunKind, area: string): Draft {
  return written?.kind === kind ? { ...written } : blank(kind, newId(), area);
}

/** Keeps what is being written; an empty sheet is not worth it. */
export async function keepWritten(draft: Draft): Promise<void> {
  written = isWrittenOn(draft) ? draft : null;
  await posting.keepWriting(written, await writer());
}

export async function dropWritten(): Promise<void> {
  written = null;
  await posting.keepWriting(null, await writer());
}

/** Hands a case in. It is kept before it is sent: what becomes of it shows in `unwritten` or `onTheirWay`. */
export async function handIn(draft: Draft): Promise<void> {
  await posting.post({ key: draft.key, by: draft.unnamed ? null : await writer(), at: Date.now(), draft });
  await dropWritten();
  await flush();
  void lookAtMine();
}

/** Takes back what was not sent, to write on it. What the platform refused is another case once it is mended. */
export async function writeOn(one: posting.Posted): Promise<void> {
  posted = posted.filter(({ key }) => key !== one.key);
  await posting.takeBack(one.key);
  await keepWritten({ ...one.draft, key: newId() });
}

export async function takeBack(key: string): Promise<void> {
  posted = posted.filter((one) => one.key !== key);
  await posting.takeBack(key);
}

/** The number was written down. */
export async function noteNumber(key: string): Promise<void> {
  given = given.filter((one) => one.key !== key);
  await posting.writtenDown(key);
}

/** Reads the resident's own cases. */
export async function lookAtMine(): Promise<void> {
  if (!token()) return;
  try {
    const { data } = await asked<CitizenLine[]>('GET', '/api/v1/me/cases');
    if (!data) return;
    Object.assign(state, { mine: data, problem: null });
    await keep(KEPT, data);
  } catch (thrown) {
    state.problem = asProblem(thrown);
  }
}

/** How somebody shows that a case is theirs: by being signed in, or by its PIN. */
export type Way = { number: string; pin: string } | { number: string };

const pathOf = (way: Way, what: string) => `/api/v1/${'pin' in way ? '' : 'me/'}cases/${encodeURIComponent(way.number)}${what}`;

export async function readCase(way: Way): Promise<CitizenCase> {
  const { data } = 'pin' in way ? await ask<CitizenCase>('POST', pathOf(way, '/state'), { body: { pin: way.pin } }) : await asked<CitizenCase>('GET', pathOf(way, ''));
  return data!;
}

/** Says or does something about a case; what it has become is the answer. */
export async function takeStep(way: Way, event: CitizenEvent, text = ''): Promise<CitizenCase> {
  const body = { event, ...(text.trim() && { text: text.trim() }) };
  const { data } = 'pin' in way ? await ask<CitizenCase>('POST', pathOf(way, '/steps'), { body: { ...body, pin: way.pin } }) : await asked<CitizenCase>('POST', pathOf(way, '/steps'), { body });
  return data!;
}
