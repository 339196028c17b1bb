// Web Push: alerts arrive though the app is closed, where the browser can and the platform offers it.
import { asked } from './account.svelte.ts';
import { needsHomeScreen, thisBrowser } from './home_screen.ts';
import { ask } from './platform.ts';
import { introduce, known, takeLeave, type Ask } from './subscription.ts';

export type Hearing = 'impossible' | 'home_screen' | 'off' | 'on' | 'refused';

const asResident: Ask = async (method, path, body) => (await asked(method, path, { body })).data;

/** Whether this browser is told. */
export async function hearing(): Promise<Hearing> {
  if (needsHomeScreen(thisBrowser())) return (await key()) ? 'home_screen' : 'impossible';
  const registration = await ready();
  if (!registration) return 'impossible';
  const offered = await key();
  if (!offered) return 'impossible';
  if (Notification.permission === 'denied') return 'refused';
  const subscription = await registration.pushManager.getSubscription();
  return subscription && isOf(subscription, offered) && (await known()) && Notification.permission === 'granted' ? 'on' : 'off';
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
  try {
    await introduce(subscription, asResident);
  } catch (refused) {
    await subscription.unsubscribe().catch(() => {});
    throw refused;
  }
  return 'on';
}

/** Goes on being told after the browser's push service has given it another address. Offline that is for the next time. */
export async function goOn(): Promise<void> {
  if (!(await known())) return;
  const subscription = await (await ready())?.pushManager.getSubscription();
  if (subscription) await introduce(subscription, asResident).catch(() => {});
}

/** No longer told on this device. */
export async function deafen(): Promise<void> {
  await takeLeave(asResident);
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
