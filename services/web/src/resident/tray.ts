// The tray of the phone, as the page and the service worker change it.
import type { InboxItem } from './contract.ts';
import { tidied, type Notice } from './notices.ts';
import type { Tongue } from '../words/say.svelte.ts';

/** Puts a notice into the tray, in the place of the one of the same alert. */
export async function show(registration: ServiceWorkerRegistration, notice: Notice, loudly: boolean): Promise<void> {
  const options: NotificationOptions & { renotify?: boolean } = {
    body: notice.body,
    icon: '/app/icon-192.png',
    badge: '/app/badge.png',
    tag: notice.alert_id,
    renotify: loudly,
    silent: !loudly,
    requireInteraction: notice.urgent,
    data: { alert_id: notice.alert_id },
  };
  await registration.showNotification(notice.title, options);
}

/** Takes out of the tray what has ended or was answered; of what was taken back it says so. Leaves alone what has just been shown. */
export async function tidy(registration: ServiceWorkerRegistration | undefined, items: readonly InboxItem[], now: number, tongue: Tongue, acknowledged: ReadonlySet<string>, shown?: string): Promise<void> {
  const standing = ((await registration?.getNotifications?.()) ?? []).filter(({ tag }) => tag !== shown);
  if (!registration || standing.length === 0) return;
  const { close, replace } = tidied(standing, items, now, tongue, acknowledged);
  for (const notice of standing) if (close.includes(notice.tag)) notice.close();
  for (const notice of replace) if (notice.alert_id !== shown) await show(registration, notice, false);
}
