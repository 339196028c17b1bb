// The inbox as the page shows it: what was last read, kept for times without network, with what the person has already said laid
// over it. Read every 15 seconds while somebody looks.
import { Problem } from '../api/client.ts';
import { now } from '../words/time.svelte.ts';
import { asked, profile, token } from './account.svelte.ts';
import type { FeedbackKind, InboxItem, Said } from './contract.ts';
import { change, keep, kept } from './device.ts';
import { endOf, isLive, merged, raised, type Raised } from './order.ts';
import * as outbox from './outbox.ts';
import { tidy } from './tray.ts';

interface Kept { items: InboxItem[]; at: number; tag?: string }

const EVERY = 15_000;
const state = $state<{ items: InboxItem[]; at: number; away: boolean; problem: Problem | null; busy: boolean; ready: boolean }>({
  items: [], at: 0, away: false, problem: null, busy: false, ready: false,
});
let entries = $state.raw<outbox.Entry[]>([]);
let known = $state.raw<ReadonlySet<string>>(new Set());
let uncounted = $state.raw<ReadonlySet<string>>(new Set());
let later = $state.raw<ReadonlySet<string>>(new Set());
let said = $state.raw<Said[] | null>(null);
let tag: string | undefined;
/** How often acknowledgements were seen to be taken: an inbox asked for before that knows less than this page. */
let taken = 0;
let again = false;

export const items = () => state.items;
/** When the platform was last asked with success; 0 when never. */
export const readAt = () => state.at;
/** Whether the platform could not be reached at the last try. */
export const isAway = () => state.away;
export const problem = () => state.problem;
/** Whether what is kept on the device was read. */
export const isReady = () => state.ready;
export const unsent = () => entries;
/** What the resident said before, with the answers; null where the platform does not take feedback. */
export const feedback = () => said;

const acknowledgements = $derived(new Set(entries.filter((entry) => entry.kind === 'acknowledgement').map((entry) => entry.alert_id)));
const up = $derived(raised(state.items, acknowledgements, known, now()).filter(({ item, kind }) => !later.has(kind === 'ended' ? endOf(item.alert_id) : item.alert_id)));

/** What comes up over everything, first things first. */
export const comingUp = (): Raised[] => up;

/** Where the acknowledgement of an alert stands. */
export function acknowledgement(item: InboxItem): 'open' | 'waiting' | 'done' | 'uncounted' | 'over' {
  if (item.acknowledged_at) return 'done';
  if (acknowledgements.has(item.alert_id)) return 'waiting';
  if (uncounted.has(item.alert_id) && !isLive(item, now())) return 'uncounted';
  return isLive(item, now()) ? 'open' : 'over';
}

/** Reads what the device has kept, then asks, then keeps asking. Returns how to stop. */
export function begin(): () => void {
  let stopped = false;
  void (async () => {
    const before = await kept<Kept>('inbox');
    const names = (await kept<string[]>('known')) ?? [];
    const [unsentBefore, notTaken] = [await outbox.waiting(), await outbox.uncounted()];
    if (stopped) return;
    if (before) Object.assign(state, { items: before.items, at: before.at });
    tag = before?.tag;
    known = new Set(names);
    entries = unsentBefore;
    uncounted = new Set(notTaken);
    state.ready = true;
    await look();
  })();
  const visible = () => document.visibilityState === 'visible' && void look();
  const timer = setInterval(visible, EVERY);
  const told = (event: MessageEvent) => (event.data as { kind?: string } | null)?.kind === 'look' && void look();
  addEventListener('online', visible);
  addEventListener('focus', visible);
  document.addEventListener('visibilitychange', visible);
  navigator.serviceWorker?.addEventListener('message', told);
  return () => {
    stopped = true;
    clearInterval(timer);
    removeEventListener('online', visible);
    removeEventListener('focus', visible);
    document.removeEventListener('visibilitychange', visible);
    navigator.serviceWorker?.removeEventListener('message', told);
    Object.assign(state, { items: [], at: 0, away: false, problem: null, ready: false });
    entries = [];
    known = new Set();
    uncounted = new Set();
    later = new Set();
    said = null;
    tag = undefined;
  };
}

/** Sends what waits, then reads anew. Asked while it is at it, it goes once more. */
export async function look(): Promise<void> {
  if (!token()) return;
  again = state.busy;
  if (state.busy) return;
  state.busy = true;
  try {
    do {
      again = false;
      await flush();
      await read();
    } while (again && token());
  } catch (thrown) {
    const refused = thrown instanceof Problem ? thrown : null;
    state.away = refused?.isAway ?? true;
    state.problem = refused && !refused.isAway && refused.status !== 401 ? refused : null;
  } finally {
    state.busy = false;
  }
}

async function read(): Promise<void> {
  const before = taken;
  const answer = await asked<InboxItem[]>('GET', '/api/v1/me/inbox', { tag });
  // What was acknowledged while this was under way may not be in it: what has been read must not come up again.
  if (before !== taken) {
    again = true;
    return;
  }
  if (answer.data) state.items = merged(state.items, answer.data, now());
  if (answer.tag) tag = answer.tag;
  Object.assign(state, { at: now(), away: false, problem: null });
  void tidyTray();
  await keep('inbox', { items: $state.snapshot(state.items), at: state.at, ...(tag && { tag }) } satisfies Kept);
}

/** What stands in the tray is what the inbox says, whatever came when. */
async function tidyTray(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  await tidy(registration, state.items, now(), profile()?.language === 'en' ? 'en' : 'zh-CN', acknowledgements).catch(() => {});
}

async function flush(): Promise<void> {
  const by = token();
  if (!by) return;
  const done = outbox.inOrder(await outbox.waiting()).length === 0 || (await outbox.sendAll(by));
  await seeWhatWaits();
  if (done) return;
  // The browser sends it by itself when it is back, where it can.
  const ready = (await navigator.serviceWorker?.getRegistration()) as (ServiceWorkerRegistration & { sync?: { register(name: string): Promise<void> } }) | undefined;
  await ready?.sync?.register('outbox').catch(() => {});
}

/** Looks at what still waits, whoever sent the rest. What was taken stays acknowledged in sight until the next answer says so itself. */
async function seeWhatWaits(): Promise<void> {
  const [left, notTaken] = [await outbox.waiting(), new Set(await outbox.uncounted())];
  const waits = new Set(left.map((entry) => entry.id));
  const gone = new Set(entries.filter((entry) => entry.kind === 'acknowledgement' && !waits.has(entry.id) && !notTaken.has(entry.alert_id)).map((entry) => entry.alert_id));
  uncounted = notTaken;
  if (gone.size > 0) {
    taken += 1;
    tag = undefined;
    const at = new Date(now()).toISOString();
    state.items = state.items.map((item) => (gone.has(item.alert_id) && !item.acknowledged_at ? { ...item, acknowledged_at: at } : item));
  }
  entries = left;
}

/** "I have read it." Counts from this moment, sent at once or when there is a way. */
export async function acknowledge(item: InboxItem): Promise<void> {
  entries = await outbox.post({ kind: 'acknowledgement', id: outbox.newId(), alert_id: item.alert_id, at: Date.now(), until: outbox.untilOf(item.expires_at) });
  await remember(item.alert_id);
  // It is kept; nobody waits for the network.
  void tidyTray();
  void flush().then(look);
}

/** The person has read that an alert has ended. */
export const noteEnd = (item: InboxItem) => remember(endOf(item.alert_id));

/** Whether the person has read that an alert has ended, or put it aside. */
export const isEndNoted = ({ alert_id }: InboxItem): boolean => known.has(endOf(alert_id)) || later.has(endOf(alert_id));

/** The person has seen this alert; its end will be told. */
export const remember = async (name: string): Promise<void> => {
  if (known.has(name)) return;
  known = new Set([...known, name]);
  await change<string[]>('known', (before) => [...new Set([...(before ?? []), name])].slice(-500));
};

const answerTo = (id: number) => `answer ${id}`;
/** Whether the person has seen the answer to what they said. */
export const isKnownAnswer = (id: number): boolean => known.has(answerTo(id));
export const rememberAnswers = async (): Promise<void> => {
  for (const one of said ?? []) if (one.answer) await remember(answerTo(one.feedback_id));
};

/** Puts it aside until the app is opened again. */
export function putAside({ item, kind }: Raised): void {
  later = new Set([...later, kind === 'ended' ? endOf(item.alert_id) : item.alert_id]);
}

/** Says something about an alert. */
export async function say(item: InboxItem, about: FeedbackKind, text: string): Promise<void> {
  entries = await outbox.post({ kind: 'feedback', id: outbox.newId(), alert_id: item.alert_id, at: Date.now(), headline: item.text.headline, about, text });
  void flush().then(lookAtFeedback);
}

/** Takes back what could not be sent. */
export async function takeBack(id: string): Promise<void> {
  entries = await outbox.drop(id);
}

/** Reads what was said and answered. Where the platform takes no feedback, there is none to show. */
export async function lookAtFeedback(): Promise<void> {
  const before = await kept<Said[]>('said');
  said ??= before ?? null;
  try {
    const { data } = await asked<Said[]>('GET', '/api/v1/me/feedback');
    if (!data) return;
    // What the service worker sent meanwhile waits no more.
    await seeWhatWaits();
    said = data;
    await keep('said', data);
  } catch {
    // What was kept is shown.
  }
}
