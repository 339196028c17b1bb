// What changes while one looks: the platform tells which alert changed (server-sent events), and the page asks for what it
// shows again. A burst of a thousand changes is one look: a page reads at most every 400 ms.
import { untrack } from 'svelte';
import { heard } from '../words/time.svelte.ts';
import { asProblem, type Problem } from '../api/client.ts';

/** An alert that changed. */
export interface Change { alert_id: string; version: number; state: string }

type Listener = (changed: Change[]) => void;

const REST = 400;
const listeners = new Set<Listener>();
const line = $state({ open: false, since: 0 });
let source: EventSource | null = null;
let gathered: Change[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

function tellAll(): void {
  timer = undefined;
  const changed = gathered;
  gathered = [];
  for (const listener of listeners) listener(changed);
}

function note(change: Change[]): void {
  gathered.push(...change);
  timer ??= setTimeout(tellAll, REST);
}

/** Begins to listen; the browser connects again by itself when the line breaks. */
export function listen(): void {
  if (source) return;
  source = new EventSource('/api/v1/events');
  source.addEventListener('open', () => {
    // What was missed while the line was down is looked at again.
    if (line.since) note([]);
    line.open = true;
    line.since = Date.now();
  });
  source.addEventListener('error', () => (line.open = false));
  source.addEventListener('clock', (event) => heard((event as MessageEvent<string>).data));
  source.addEventListener('alert', (event) => note([JSON.parse((event as MessageEvent<string>).data) as Change]));
}

/** Stops listening. */
export function hangUp(): void {
  source?.close();
  source = null;
  line.open = false;
  line.since = 0;
}

/** Whether changes arrive at once; if not, what is shown may be old. */
export function isLive(): boolean {
  return line.open;
}

/** Calls back after changes; returns how to stop. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What a page shows of the platform: read when the page opens, read anew after changes that `concern` it, and every `every` ms. */
export class Watched<T> {
  value = $state.raw<T | undefined>(undefined);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  #read: () => Promise<T>;
  #again = false;

  constructor(read: () => Promise<T>, options: { concerns?: (changed: Change[]) => boolean; every?: number } = {}) {
    this.#read = read;
    $effect(() => {
      void this.look();
      const stop = onChange((changed) => {
        if (!options.concerns || changed.length === 0 || options.concerns(changed)) void this.look();
      });
      const timer = options.every ? setInterval(() => document.visibilityState === 'visible' && void this.look(), options.every) : undefined;
      return () => {
        stop();
        clearInterval(timer);
      };
    });
  }

  /** Reads anew; what is shown stays until the answer is there. */
  look(): Promise<void> {
    // What is read for the look is no reason to look again, whichever effect asks for it.
    return untrack(() => this.#look());
  }

  async #look(): Promise<void> {
    if (this.busy) {
      this.#again = true;
      return;
    }
    this.busy = true;
    try {
      do {
        this.#again = false;
        this.value = await this.#read();
        this.problem = null;
      } while (this.#again);
    } catch (thrown) {
      this.problem = asProblem(thrown);
    } finally {
      this.busy = false;
    }
  }

  /** Shows what another call has already answered. */
  take(value: T): void {
    this.value = value;
    this.problem = null;
  }
}
