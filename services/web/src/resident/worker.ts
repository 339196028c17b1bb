// The service worker of the residents' app. It keeps the app's files so that the app opens without network, sends what waits when
// the network is back, and shows alerts while the app is closed. Built by build/pwa.ts, which fills `SHELL` in.
import { sendCases } from './cases/posting.ts';
import type { InboxItem, Profile } from './contract.ts';
import { kept } from './device.ts';
import { noticeOf, type Notice } from './notices.ts';
import { endOf, isLive, merged, raised } from './order.ts';
import { inOrder, sendAll, waiting } from './outbox.ts';
import { introduce, known } from './subscription.ts';
import { show, tidy } from './tray.ts';

declare const SHELL: { version: string; page: string; files: string[] };

const worker = self as unknown as ServiceWorkerGlobalScope;
const shell = `shell-${SHELL.version}`;
const PLACES = 'places';
/** A push is shown within so many milliseconds, whatever the network does. */
const LONGEST = 8_000;
const files = new Set(SHELL.files);

worker.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(shell)
      .then((cache) => cache.addAll([SHELL.page, ...SHELL.files].map((path) => new Request(path, { cache: 'reload' }))))
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener('activate', (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name !== shell && name !== PLACES) await caches.delete(name);
    await worker.clients.claim();
  };
  event.waitUntil(old());
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate') event.respondWith(fromShell(SHELL.page, request));
  else if (files.has(url.pathname)) event.respondWith(fromShell(url.pathname, request));
  else if (url.pathname.startsWith('/places/')) event.respondWith(place(request));
});

async function fromShell(path: string, request: Request): Promise<Response> {
  return (await (await caches.open(shell)).match(path)) ?? fetch(request);
}

/** Names of places: what was read once is shown at once, and read anew beside. */
async function place(request: Request): Promise<Response> {
  const cache = await caches.open(PLACES);
  const fresh = fetch(request).then((answer) => {
    if (answer.ok) void cache.put(request, answer.clone());
    return answer;
  });
  const known = await cache.match(request);
  if (!known) return fresh;
  fresh.catch(() => {});
  return known;
}

// Background Sync: the browser wakes the worker when there is network, the page closed or not.
worker.addEventListener('sync' as keyof ServiceWorkerGlobalScopeEventMap, (event) => {
  const { tag } = event as unknown as { tag: string };
  if (tag === 'outbox') (event as ExtendableEvent).waitUntil(sendWaiting());
  if (tag === 'cases') (event as ExtendableEvent).waitUntil(sendWaitingCases());
});

async function sendWaiting(): Promise<void> {
  const token = await kept<string>('token');
  const before = inOrder(await waiting()).length;
  if (!token || before === 0) return;
  const done = await sendAll(token);
  // Pages are told of what went out, not of a try that failed: a page that looks asks for the next try.
  if (inOrder(await waiting()).length < before) for (const page of await pages()) page.postMessage({ kind: 'look' });
  if (!done) throw new Error('not everything could be sent; to be tried again');
}

/** Sends what was brought without a network: the resident's as theirs, the rest as nobody's. The numbers stand on the device until they are written down. */
async function sendWaitingCases(): Promise<void> {
  const [token, no] = [await kept<string>('token'), await kept<number>('resident_no')];
  const done = (await sendCases(null, null)) && (!token || no === undefined || (await sendCases(no, token)));
  for (const page of await pages()) page.postMessage({ kind: 'look' });
  if (!done) throw new Error('not everything could be sent; to be tried again');
}

worker.addEventListener('push', (event) => event.waitUntil(told(event.data)));

// The browser's push service has given this browser another address. The app may stay closed for months: the platform is told now.
worker.addEventListener('pushsubscriptionchange' as keyof ServiceWorkerGlobalScopeEventMap, (event) => {
  const { newSubscription, oldSubscription } = event as unknown as { newSubscription?: PushSubscription | null; oldSubscription?: PushSubscription | null };
  const goOn = async () => {
    const token = await kept<string>('token');
    if (!token || !(await known())) return;
    const applicationServerKey = oldSubscription?.options.applicationServerKey;
    const subscription = newSubscription ?? (applicationServerKey && (await worker.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey })));
    if (!subscription) return;
    await introduce(subscription, async (method, path, body) => {
      const headers = { authorization: `Bearer ${token}`, 'x-fenghuo-request': '1', 'content-type': 'application/json' };
      const answer = await fetch(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
      return answer.status === 204 ? undefined : answer.json();
    });
  };
  (event as ExtendableEvent).waitUntil(goOn());
});

/** What a push says, as far as it says it; the rest is asked from the inbox. */
interface Told { alert_id?: string; title?: string; body?: string; urgent?: boolean; exercise?: boolean; ended?: boolean }

async function told(data: PushMessageData | null): Promise<void> {
  const said = ((): Told => {
    try {
      return (data?.json() ?? {}) as Told;
    } catch {
      return { body: data?.text() ?? '' };
    }
  })();
  const [items, names, unsent, profile] = await Promise.all([inbox(), kept<string[]>('known'), waiting(), kept<Profile>('profile')]);
  const tongue = profile?.language === 'en' ? 'en' : 'zh-CN';
  const answered = new Set(unsent.flatMap((entry) => (entry.kind === 'acknowledgement' ? [entry.alert_id] : [])));
  const item = said.alert_id ? items.find(({ alert_id }) => alert_id === said.alert_id) : mostPressing(items, answered, new Set(names));
  // The word that an alert has ended may be here before the inbox has heard of it.
  const knowsIt = item && !(said.ended && isLive(item, Date.now()));
  const notice = knowsIt ? noticeOf(item, items, Date.now(), tongue, answered) : asSaid(said);
  for (const page of await pages()) page.postMessage({ kind: 'look' });
  // Something is shown for every push: browsers take the right to be told from whoever shows nothing.
  await show(worker.registration, { ...notice, urgent: notice.asks && (said.urgent ?? notice.urgent) }, notice.asks);
  await tidy(worker.registration, items, Date.now(), tongue, answered, notice.alert_id);
}

/** What the push itself says, where the inbox says nothing of it. */
function asSaid(said: Told): Notice {
  const headline = said.title ?? '您有一条健康提醒';
  // The title of a push says itself that it is an exercise, mostly.
  const mark = said.exercise && !/演练|EXERCISE/.test(headline) ? '【演练 EXERCISE】' : '';
  return { alert_id: said.alert_id ?? 'alert', title: `${mark}${headline}`, body: said.body || '请打开查看。', asks: !said.ended, urgent: !said.ended && (said.urgent ?? false) };
}

/** What a push is about that names nothing: the most pressing alert that was not answered. */
const mostPressing = (items: readonly InboxItem[], answered: ReadonlySet<string>, known: ReadonlySet<string>): InboxItem | undefined =>
  raised(items, answered, known, Date.now()).find(({ item }) => !known.has(endOf(item.alert_id)))?.item;

/** The inbox as it is now, with what this device still knows of alerts that are over; without network what it knew last. */
async function inbox(): Promise<InboxItem[]> {
  const before = (await kept<{ items: InboxItem[] }>('inbox'))?.items ?? [];
  const token = await kept<string>('token');
  if (!token) return [];
  try {
    const headers = { authorization: `Bearer ${token}`, 'x-fenghuo-request': '1' };
    const answer = await fetch('/api/v1/me/inbox', { headers, cache: 'no-store', signal: AbortSignal.timeout(LONGEST) });
    return answer.ok ? merged(before, (await answer.json()) as InboxItem[], Date.now()) : before;
  } catch {
    return before;
  }
}

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { alert_id } = (event.notification.data ?? {}) as { alert_id?: string };
  const open = async () => {
    const [page] = await pages();
    if (!page) return void (await worker.clients.openWindow(`/app/start${alert_id ? `#/alerts/${alert_id}` : ''}`));
    page.postMessage({ kind: 'open', alert_id });
    page.postMessage({ kind: 'look' });
    await page.focus();
  };
  event.waitUntil(open());
});

const pages = () => worker.clients.matchAll({ type: 'window', includeUncontrolled: false });
