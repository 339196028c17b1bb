// Which alerts come up over everything, and in which order; and what an inbox holds after the platform was asked again. No I/O.
import type { InboxItem } from './contract.ts';

/** What comes up: something to act on, or the end of something that the person had acted on. */
export interface Raised {
  item: InboxItem;
  kind: 'alert' | 'correction' | 'ended';
  /** What a correction corrects, where this inbox holds it. */
  corrects?: InboxItem;
}

const urgency = ['immediate', 'expected', 'unknown', 'future', 'past'];
const severity = ['extreme', 'severe', 'unknown', 'moderate', 'minor'];

export const isExercise = (item: InboxItem) => item.status === 'exercise';
export const isUrgent = (item: InboxItem) => item.urgency === 'immediate' || item.severity === 'extreme';

/** Whether it still asks for something. */
export const isLive = (item: InboxItem, now: number) => item.state === 'live' && Date.parse(item.expires_at) > now;

/** Named in `known` once the person was told of the end of this alert. */
export const endOf = (id: string) => `${id}:end`;

/** What is to come up, the most pressing first: what is real before what is exercised, then urgent, severe, new. */
export function raised(items: readonly InboxItem[], acknowledged: ReadonlySet<string>, known: ReadonlySet<string>, now: number): Raised[] {
  const has = (item: InboxItem) => Boolean(item.acknowledged_at) || acknowledged.has(item.alert_id);
  const up: Raised[] = [];
  for (const item of items) {
    if (isLive(item, now)) {
      if (has(item)) continue;
      const corrects = items.find((other) => other.superseded_by === item.alert_id);
      up.push(item.msg_type === 'alert' ? { item, kind: 'alert' } : { item, kind: 'correction', ...(corrects && { corrects }) });
    } else if (isWithdrawnFrom(item, items, now) && (has(item) || known.has(item.alert_id)) && !known.has(endOf(item.alert_id))) {
      up.push({ item, kind: 'ended' });
    }
  }
  return up.sort((a, b) => weight(a) - weight(b) || b.item.released_at.localeCompare(a.item.released_at));
}

/** Withdrawn, for all or for this person alone, over, or corrected by something that this person was not sent: nothing else tells them. */
function isWithdrawnFrom(item: InboxItem, items: readonly InboxItem[], now: number): boolean {
  if (Date.parse(item.expires_at) <= now) return false;
  if (item.state === 'cancelled' || item.state === 'withdrawn' || item.state === 'all_clear') return true;
  return item.state === 'superseded' && !items.some((other) => other.alert_id === item.superseded_by);
}

function weight({ item, kind }: Raised): number {
  const place = (order: string[], word: string) => (order.indexOf(word) + order.length) % order.length;
  // The end of an alert is told before anything that is not urgent: people may be acting on it this moment.
  const pressing = kind === 'ended' ? 0 : isUrgent(item) ? 0 : 1;
  return (isExercise(item) ? 1000 : 0) + pressing * 100 + place(urgency, item.urgency) * 10 + place(severity, item.severity);
}

/** How many alerts of the past a device keeps. */
const PAST = 100;

/** The inbox after an answer: what the platform lists, and what it no longer lists because its time is over. */
export function merged(before: readonly InboxItem[], fresh: readonly InboxItem[], now: number): InboxItem[] {
  const listed = new Set(fresh.map((item) => item.alert_id));
  const past = before.filter((item) => !listed.has(item.alert_id) && Date.parse(item.expires_at) <= now);
  return [...fresh, ...past].sort((a, b) => b.released_at.localeCompare(a.released_at)).slice(0, fresh.length + PAST);
}

/** The numbers and addresses in a contact, to be called or written to with one touch. */
export function waysOf(contact: string): { kind: 'call' | 'write'; shown: string; href: string }[] {
  const calls = [...contact.matchAll(/\+?\d[\d\- ]{1,18}\d/g)].map(([shown]) => ({ kind: 'call' as const, shown, href: `tel:${shown.replace(/[^\d+]/g, '')}` }));
  const writes = [...contact.matchAll(/[\w.+-]+@[\w-]+\.[\w.-]+/g)].map(([shown]) => ({ kind: 'write' as const, shown, href: `mailto:${shown}` }));
  return [...calls.filter((call) => call.href.length >= 'tel:110'.length), ...writes].slice(0, 3);
}
