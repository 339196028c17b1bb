// The app is closed and the alert arrives all the same: by Web Push, sealed so that only this browser can read it.
//
// A headless Chromium reaches no push service of its maker. So one thing is played: `PushManager.subscribe` gives a subscription at the simulated
// push service, with a key that the page makes itself. Everything else is real: the page's settings, the platform, the message on its way,
// the service worker that gets it from the browser, and the notification.
import { createDecipheriv, createECDH, hkdfSync } from 'node:crypto';
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { curtain, Resident } from './cast.ts';
import { city, eventually } from './city.ts';
import { urgentAlert } from './prepared.ts';

afterAll(curtain);

interface Keys { d: string; p256dh: string; auth: string }
interface Sealed { body: string; content_encoding: string }
interface Received { web_push: { times: number }; pushes: { priority: string; expiration: string; payload: Sealed }[] }

/** A subscription at the simulated push service in the place of a real one. The page makes its key. */
async function subscribesHere(page: Page, endpoint: string): Promise<void> {
  await page.evaluate(async (endpoint) => {
    const url = (octets: ArrayBuffer | Uint8Array) => btoa(String.fromCharCode(...new Uint8Array(octets))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const { d } = await crypto.subtle.exportKey('jwk', pair.privateKey);
    const keys = { p256dh: url(await crypto.subtle.exportKey('raw', pair.publicKey)), auth: url(crypto.getRandomValues(new Uint8Array(16))) };
    const played = window as unknown as { keys: object; asked: PushSubscriptionOptionsInit | undefined };
    played.keys = { d, ...keys };
    let subscription: object | null = null;
    const unsubscribe = async () => Boolean(subscription) && ((subscription = null), true);
    PushManager.prototype.subscribe = async (options) => {
      played.asked = options;
      const made = { endpoint, options: { applicationServerKey: (options!.applicationServerKey as Uint8Array<ArrayBuffer>).buffer }, toJSON: () => ({ endpoint, keys }), unsubscribe };
      return (subscription = made) as unknown as PushSubscription;
    };
    PushManager.prototype.getSubscription = async () => subscription as PushSubscription | null;
  }, endpoint);
}

/** Opens a message as browsers do (RFC 8291 §3.4). */
function opened(sealed: string, { d, p256dh, auth }: Keys): string {
  const octets = (text: string) => Buffer.from(text, 'base64url');
  const body = octets(sealed);
  const [salt, sender, record] = [body.subarray(0, 16), body.subarray(21, 86), body.subarray(86)];
  const own = createECDH('prime256v1');
  own.setPrivateKey(octets(d));
  const expanded = (secret: Uint8Array, salt: Uint8Array, info: Uint8Array | string, length: number) => Buffer.from(hkdfSync('sha256', secret, salt, info, length));
  const shared = expanded(own.computeSecret(sender), octets(auth), Buffer.concat([Buffer.from('WebPush: info\0'), octets(p256dh), sender]), 32);
  const key = expanded(shared, salt, 'Content-Encoding: aes128gcm\0', 16);
  const cipher = createDecipheriv('aes-128-gcm', key, expanded(shared, salt, 'Content-Encoding: nonce\0', 12));
  cipher.setAuthTag(record.subarray(-16));
  const plain = Buffer.concat([cipher.update(record.subarray(0, -16)), cipher.final()]);
  expect(plain.at(-1), 'the last record ends in 2').toBe(2);
  return plain.subarray(0, -1).toString();
}

/** The number under which the browser knows the app's service worker. */
async function registrationOf(session: CDPSession): Promise<string> {
  let found: string | undefined;
  session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    found = registrations.find(({ scopeURL, isDeleted }) => scopeURL.endsWith('/app/') && !isDeleted)?.registrationId ?? found;
  });
  await session.send('ServiceWorker.enable');
  return eventually('the browser knows the service worker', async () => found);
}

const notices = (page: Page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration('/app/');
    return ((await registration?.getNotifications()) ?? []).map(({ title, body, tag, requireInteraction }) => ({ title, body, tag, requireInteraction }));
  });

test('a resident turns notifications on, is told while the app is closed, opens the alert from the notice, and is told no more after signing out', async () => {
  const { control, web_push } = await city.providers();
  // a phone that no other story registers with: codes are a minute apart
  const somebody = (await city.phones())[8];
  const resident = await Resident.registers(somebody!.phone, somebody!.community);
  await resident.readsEverything();
  const { page, context } = resident;
  await eventually('the service worker runs', () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration('/app/'))?.active?.state === 'activated'));
  // The demo city goes on, and its alerts stand over everything until they are read.
  await page.addLocatorHandler(page.locator('dialog[open]').getByRole('button', { name: '我已知晓' }), (read) => read.click());
  await context.grantPermissions(['notifications'], { origin: city.url });
  const id = `story-${Date.now()}`;
  await subscribesHere(page, web_push + id);

  await page.evaluate(() => (location.hash = '#/me'));
  await page.getByRole('button', { name: '打开通知' }).click();
  await page.getByText('应用关闭时也会在这台设备上通知您。').waitFor();
  const { keys, asked } = await page.evaluate(() => {
    const { keys, asked } = window as unknown as { keys: Keys; asked: PushSubscriptionOptionsInit };
    return { keys, asked: { visible: asked.userVisibleOnly, octets: [...(asked.applicationServerKey as Uint8Array)] } };
  });
  const { public_key } = (await (await fetch(`${city.url}/api/v1/web-push/key`)).json()) as { public_key: string };
  expect(asked, "the browser is asked with the platform's own key").toEqual({ visible: true, octets: [...Buffer.from(public_key, 'base64url')] });

  const headline = '应用关闭时的提醒';
  const alert = await urgentAlert(headline, [somebody!.community.slice(0, 6)]);
  const received = async () => (await (await fetch(`${control}/received?token=${id}`)).json()) as Received;
  const [push] = await eventually('the push service has it', async () => {
    const { pushes } = await received();
    return pushes.length > 0 && pushes;
  });
  expect([push!.priority, push!.payload.content_encoding]).toEqual(['high', 'aes128gcm']);
  expect(Buffer.from(push!.payload.body, 'base64url').includes(headline), 'the push service cannot read it').toBe(false);
  const plain = opened(push!.payload.body, keys);
  expect(JSON.parse(plain)).toMatchObject({ alert_id: alert, title: headline, urgent: true, exercise: false });

  const session = await context.newCDPSession(page);
  const registrationId = await registrationOf(session);
  const arrives = (data: string) => session.send('ServiceWorker.deliverPushMessage', { origin: city.url, registrationId, data });
  await arrives(plain);
  const [notice] = await eventually('the notice is shown', async () => {
    const shown = await notices(page);
    return shown.length > 0 && shown;
  });
  expect(notice).toMatchObject({ title: headline, tag: alert, requireInteraction: true });
  expect(notice!.body).not.toBe('');

  // No page can press a notice; the worker is told that it was. What is read in the app leaves the tray by itself, so nothing is read before.
  const worker = context.serviceWorkers().find((one) => one.url().endsWith('/app/worker.js'));
  await worker!.evaluate(async () => {
    const { registration } = self as unknown as ServiceWorkerGlobalScope;
    const [notification] = await registration.getNotifications();
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification: notification! }));
  });
  await page.waitForURL((url) => url.hash === `#/alerts/${alert}`);
  await eventually('the notice is gone', async () => (await notices(page)).length === 0);
  await resident.readsEverything();

  // What the inbox cannot say, the message says itself; that it is an exercise it says once.
  const exercise = { alert_id: '01900000-0000-7000-8000-000000000000', title: '【演练】请留在家中', body: '这是演练。', urgent: false, exercise: true };
  await arrives(JSON.stringify(exercise));
  const [drill] = await eventually('the exercise is shown', async () => {
    const shown = await notices(page);
    return shown.length > 0 && shown;
  });
  expect(drill).toEqual({ title: exercise.title, body: exercise.body, tag: exercise.alert_id, requireInteraction: false });

  // The push service gives the browser another address while nobody looks: the next alert goes there.
  const moved = `${id}-moved`;
  const ended = context.waitForEvent('response', (answer) => answer.request().method() === 'DELETE' && /\/me\/devices\/\d+$/.test(answer.url()) && answer.status() === 204);
  await worker!.evaluate(({ endpoint, keys }) => {
    const newSubscription = { endpoint, toJSON: () => ({ endpoint, keys }) };
    self.dispatchEvent(Object.assign(new ExtendableEvent('pushsubscriptionchange'), { newSubscription }));
  }, { endpoint: web_push + moved, keys: { p256dh: keys.p256dh, auth: keys.auth } });
  const elsewhere = async () => (await (await fetch(`${control}/received?token=${moved}`)).json()) as Received;
  await ended;
  await urgentAlert('换了地址之后的提醒', [somebody!.community.slice(0, 6)]);
  await eventually('the new address has it', async () => (await elsewhere()).pushes.length === 1);
  await resident.readsEverything();

  await page.evaluate(() => (location.hash = '#/me'));
  await page.getByRole('button', { name: '退出登录' }).click();
  const removed = page.waitForResponse((answer) => answer.request().method() === 'DELETE' && /\/me\/devices\/\d+$/.test(answer.url()));
  await page.locator('dialog[open]').getByRole('button', { name: '退出', exact: true }).click();
  expect((await removed).status()).toBe(204);
  await eventually('the browser has unsubscribed', () => page.evaluate(async () => (await (await navigator.serviceWorker.getRegistration('/app/'))!.pushManager.getSubscription()) === null));
  await urgentAlert('退出之后的提醒', [somebody!.community.slice(0, 6)]);
  expect((await received()).web_push.times, 'nothing more is sent there').toBe(1);
  await resident.leaves();
});
