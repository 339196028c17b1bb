// What a screen shows next, and for how long. No I/O.
import type { Item, Playlist, Text } from './contract.ts';

/** One text of one alert, shown once. */
export interface Turn { item: Item; text: Text; key: string }

/** All turns in their order. Urgent alerts take over: while there is one, nothing else is shown; what is real before an exercise. */
export function turns(playlist: Playlist | null, now: number): Turn[] {
  const live = (playlist?.items ?? []).filter((item) => Date.parse(item.expires_at) > now && item.texts.length > 0);
  const urgent = live.filter((item) => item.urgent && !item.exercise);
  const shown = urgent.length ? urgent : live;
  return shown.flatMap((item) => item.texts.map((text) => ({ item, text, key: `${item.alert_id} ${text.language}` })));
}

/** The turn after this one; the first where this one is gone. */
export function following(all: readonly Turn[], key: string | undefined): Turn | undefined {
  const at = all.findIndex((turn) => turn.key === key);
  return all[(at + 1) % all.length];
}

/** The first turn of an urgent alert that was not in the list before: it is not kept waiting for the others to end. */
export function urgentNewcomer(all: readonly Turn[], before: readonly Turn[]): Turn | undefined {
  const known = new Set(before.map((turn) => turn.item.alert_id));
  return all.find(({ item }) => item.urgent && !item.exercise && !known.has(item.alert_id));
}

/** Whether what is shown has to make way at once: it ended, or its words changed. */
export function mustYield(all: readonly Turn[], shown: Turn | undefined): boolean {
  if (!shown) return all.length > 0;
  const same = all.find((turn) => turn.key === shown.key);
  return !same || wording(same) !== wording(shown);
}

const wording = ({ item, text }: Turn) => JSON.stringify([text, item.contact, item.urgent, item.exercise]);

/** Whether the text is one line to scroll by. */
export const scrolls = (text: Text): boolean => text.body === '' && text.instruction === '';

const SHORTEST = 8;
const LONGEST = 30;

/** Seconds in which a passer-by reads it: four Chinese characters or two and a half words a second, after finding the beginning. */
export function readingTime(text: Text): number {
  const all = `${text.headline} ${text.instruction} ${text.body}`;
  const characters = (all.match(/\p{Script=Han}/gu) ?? []).length;
  const words = (all.replace(/\p{Script=Han}/gu, ' ').match(/\S+/g) ?? []).length;
  return Math.round(Math.min(LONGEST, Math.max(SHORTEST, 3 + characters / 4 + words / 2.5)));
}

/** Seconds in which a line crosses the screen, at a pace that can be read: three characters' width a second. */
export const crossingTime = (line: number, face: number, character: number): number => (line + face) / (character * 3);
