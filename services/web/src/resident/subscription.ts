// This browser's push subscription, as the platform knows it. Used by the page and the service worker, so nothing here knows of a page.
import { keep, kept } from './device.ts';

/** What the device keeps of it. */
export interface Known { endpoint_id: number; endpoint: string }

/** The platform, as whoever is signed in here asks it. */
export type Ask = (method: 'POST' | 'DELETE', path: string, body?: unknown) => Promise<unknown>;

const NAME = 'web_push';

export const known = (): Promise<Known | undefined> => kept<Known>(NAME);

/** Tells the platform of the subscription, and of the end of the one that it replaces. One that it knows it is told of again, so that it goes with the
 * sign-in of today: signing out from afar silences it, and signing out others does not. */
export async function introduce(subscription: PushSubscription, ask: Ask): Promise<void> {
  const before = await known();
  const { endpoint, keys } = subscription.toJSON();
  if (!endpoint) return;
  const { endpoint_id } = (await ask('POST', '/api/v1/me/web-push', { endpoint, keys })) as { endpoint_id: number };
  await keep(NAME, { endpoint_id, endpoint } satisfies Known);
  if (before && before.endpoint_id !== endpoint_id) await end(before, ask);
}

/** Tells the platform that this browser is told no more. Offline it learns that from the push service, at the next alert. */
export async function takeLeave(ask: Ask): Promise<void> {
  const before = await known();
  if (!before) return;
  await end(before, ask);
  await keep(NAME, undefined);
}

const end = ({ endpoint_id }: Known, ask: Ask) => ask('DELETE', `/api/v1/me/devices/${endpoint_id}`).catch(() => {});
