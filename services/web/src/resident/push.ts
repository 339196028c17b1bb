// Web Push: alerts arrive though the app is closed, where the browser can and the platform offers it.
import { asked } from './account.svelte.ts';
import { keep, kept } from './device.ts';
import { ask } from './platform.ts';

export type Hearing = 'impossible' | 'off' | 'on' | 'refused';

/** Under this name the device keeps its number at the platform: without it the platform does not know of this browser. */
const DEVICE = 'web_push';

/** Whether this browser is told. */
export async function hearing(): Promise<Hearing> {
  const registration = await ready();
  if (!registration) return 'impossible';
  const offered = await key();
  if (!offered) return 'impossible';
  if (Notification.permission === 'denied') return 'refused';
  const subscription = await registration.pushManager.getSubscription();
  return subscription && isOf(subscription, offered) && (await kept(DEVICE)) !== undefined && Notification.permission === 'granted' ? 'on' : 'off';
}

/** Asks the person, then the browser, then tells the platform where to send. */
export async function listen(): Promise<Hearing> {
  const [registration, applicationServerKey] = [await ready(), await key()];
  if (!registration || !applicationServerKey) return 'impossible';
  if ((await Notification.requestPermission()) !== 'granted') return 'refused';
  let subscription = await registration.pushManager.getSubscription();
  // One that was made for an earlier key of the platform would never hear anything.
  if (subscription && !isOf(subscription, applicationServerKey)) {
    await subscription.unsubscribe();
    subscription = null;
  }
  subscription ??= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  const { endpoint, keys } = subscription.toJSON();
  try {
    const { data } = await asked<{ endpoint_id: number }>('POST', '/api/v1/me/web-push', { body: { endpoint, keys } });
    await keep(DEVICE, data?.endpoint_id);
  } catch (refused) {
    await subscription.unsubscribe().catch(() => {});
    throw refused;
  }
  return 'on';
}

/** No longer told on this device. Offline the platform learns it from the browser's push service, at the next alert. */
export async function deafen(): Promise<void> {
  const device = await kept<number>(DEVICE);
  if (device !== undefined) {
    await asked('DELETE', `/api/v1/me/devices/${device}`).catch(() => {});
    await keep(DEVICE, undefined);
  }
  const registration = await ready().catch(() => undefined);
  await registration?.pushManager?.getSubscription().then((subscription) => subscription?.unsubscribe()).catch(() => {});
}

async function ready(): Promise<ServiceWorkerRegistration | undefined> {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return undefined;
  return navigator.serviceWorker.getRegistration('/app/');
}

async function key(): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const answer = await ask<{ public_key: string }>('GET', '/api/v1/web-push/key').catch(() => undefined);
  const text = answer?.data?.public_key;
  if (!text) return undefined;
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}

/** Whether a subscription was made for this key; a browser that does not say is believed. */
function isOf({ options }: PushSubscription, offered: Uint8Array): boolean {
  if (!options?.applicationServerKey) return true;
  const made = new Uint8Array(options.applicationServerKey);
  return made.length === offered.length && made.every((octet, at) => octet === offered[at]);
}
