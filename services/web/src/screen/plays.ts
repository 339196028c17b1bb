// Proof of play: every showing is kept until the platform has it, also over a restart and days without network. Bounded: of more than
// the platform would take in half a day the oldest go.
import type { Play } from './contract.ts';

export const LIMIT = 2000;
export const PER_REPORT = 200;
const KEPT = 'fenghuo.screen.plays';

/** Adds one; drops the oldest over the limit. */
export function noted(plays: readonly Play[], play: Play, limit = LIMIT): Play[] {
  return [...plays, play].slice(-limit);
}

/** What is left after the platform took these. */
export function without(plays: readonly Play[], taken: readonly Play[]): Play[] {
  const ids = new Set(taken.map((play) => play.play_id));
  return plays.filter((play) => !ids.has(play.play_id));
}

/** A UUID, also where the page is not served securely. */
export function newId(): string {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The plays of this screen. */
export class Plays {
  #plays: Play[] = restored();
  #unkept: ReturnType<typeof setTimeout> | undefined;

  get count(): number {
    return this.#plays.length;
  }

  add(alert_id: string, shownAt: number, seconds: number): void {
    this.#plays = noted(this.#plays, { play_id: newId(), alert_id, shown_at: new Date(shownAt).toISOString(), seconds: Math.min(65_535, Math.max(1, Math.round(seconds))) });
    this.#keepSoon();
  }

  /** The oldest, as many as one report takes. */
  next(): Play[] {
    return this.#plays.slice(0, PER_REPORT);
  }

  taken(plays: readonly Play[]): void {
    this.#plays = without(this.#plays, plays);
    this.#keepSoon();
  }

  /** Written at most every five seconds: a screen's memory card wears out. */
  #keepSoon(): void {
    this.#unkept ??= setTimeout(() => {
      this.#unkept = undefined;
      this.keep();
    }, 5000);
  }

  keep(): void {
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.#plays));
    } catch {
      // Kept in memory then.
    }
  }
}

function restored(): Play[] {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? '[]') as Play[];
    return Array.isArray(kept) ? kept.slice(-LIMIT) : [];
  } catch {
    return [];
  }
}
