// What the live line says, as a page is told of it: which alerts changed, or that anything may have.
import type { Work } from './review/contract.ts';

/** An alert that changed. */
export interface Change { alert_id: string; version: number; state: string }

/** What was told of the work on drafts, each once; nothing of what makes no sense. */
export function workOf(data: string): Work[] {
  const said: unknown = JSON.parse(data);
  const all = (Array.isArray(said) ? said : [said]) as Partial<Work>[];
  const told = all.filter((one): one is Work => !!one && typeof one.alert_id === 'string' && typeof one.what === 'string');
  return [...new Map(told.map((one) => [`${one.alert_id} ${one.what}`, one])).values()];
}

/** Changes that wait to be told together. */
export class Heard {
  #changes: Change[] = [];
  #anything = false;

  /** Takes in what the platform sent: the list of the alerts that changed; an empty one where it could not say which. */
  take(data: string): void {
    const said: unknown = JSON.parse(data);
    const changes = (Array.isArray(said) ? said : [said]) as Change[];
    if (changes.length) this.#changes.push(...changes);
    else this.#anything = true;
  }

  /** Something may have changed while nobody listened. */
  missed(): void {
    this.#anything = true;
  }

  /** What was gathered, and nothing is left: an empty list says that anything may have changed. */
  out(): Change[] {
    const told = this.#anything ? [] : this.#changes;
    this.#changes = [];
    this.#anything = false;
    return told;
  }
}

/** Whether one of these changes is about this alert, or may be. */
export function isAbout(alert: string): (changed: readonly Change[]) => boolean {
  return (changed) => changed.length === 0 || changed.some((change) => change.alert_id === alert);
}

const FIRST_MS = 2_000;
const LONGEST_MS = 60_000;

/** How long to wait before the next try after so many that failed in a row: 2 s, then twice as long each time, a minute at most. */
export function pause(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, failures - 1));
}
