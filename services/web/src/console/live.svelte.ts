// What changes while one looks: the platform tells which alert changed (server-sent events), and the page asks for what it
// shows again. A burst of a thousand changes is one look: a page reads at most every 400 ms.
import { untrack } from 'svelte';
import { heard } from '../words/time.svelte.ts';
import { asProblem, type Problem } from '../api/client.ts';
import { Heard, pause, workOf, type Change } from './heard.ts';
import type { Work } from './review/contract.ts';

export type { Change } from './heard.ts';

type Listener = (changed: Change[]) => void;

const REST = 400;
const listeners = new Set<Listener>();
const besides = new Set<(work: Work[]) => void>();
const line = $state({ open: false, since: 0 });
const changes = new Heard();
let source: EventSource | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
let again: ReturnType<typeof setTimeout> | undefined;
let failures = 0;

function tellAll(): void {
  timer = undefined;
  const changed = changes.out();
  for (const listener of listeners) listener(changed);
}

function tellSoon(): void {
  timer ??= setTimeout(tellAll, REST);
}

/** Everything on the page may be old: it is looked at anew. */
export function lookAnew(): void {
  changes.missed();
  tellSoon();
}

/**
 * Begins to listen; the browser connects again by itself when the line breaks. Where the platform refuses it, the browser gives up: then
 * `whenRefused` finds out why (a session that has ended is told there), and it is tried again later.
 */
export function listen(whenRefused: () => void = () => {}): void {
  if (source) return;
  const opened = new EventSource('/api/v1/events');
  source = opened;
  opened.addEventListener('open', () => {
    // What was missed while the line was down is looked at again.
    if (line.since) lookAnew();
    failures = 0;
    line.open = true;
    line.since = Date.now();
  });
  opened.addEventListener('error', () => {
    line.open = false;
    if (opened.readyState !== EventSource.CLOSED || source !== opened) return;
    failures += 1;
    source = null;
    whenRefused();
    again = setTimeout(() => listen(whenRefused), pause(failures));
  });
  opened.addEventListener('clock', (event) => heard((event as MessageEvent<string>).data));
  opened.addEventListener('alert', (event) => {
    changes.take((event as MessageEvent<string>).data);
    tellSoon();
  });
  opened.addEventListener('work', (event) => {
    const work = workOf((event as MessageEvent<string>).data);
    for (const listener of besides) listener(work);
  });
}

/** Stops listening. */
export function hangUp(): void {
  clearTimeout(again);
  source?.close();
  source = null;
  failures = 0;
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

/** Calls back when somebody works on a draft without deciding: a claim, a comment, a page that opens. Returns how to stop. */
export function onWork(listener: (work: Work[]) => void): () => void {
  besides.add(listener);
  return () => besides.delete(listener);
}

if (typeof addEventListener === 'function') addEventListener('online', () => listeners.size && lookAnew());

/** What a page shows of the platform: read when the page opens, read anew after changes that `concern` it, and every `every` ms. */
export class Watched<T> {
  value = $state.raw<T | undefined>(undefined);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  #read: () => Promise<T>;
  #again = false;
  #failures = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #left = false;

  constructor(read: () => Promise<T>, options: { concerns?: (changed: Change[]) => boolean; every?: number } = {}) {
    this.#read = read;
    $effect(() => {
      this.#left = false;
      void this.look();
      const stop = onChange((changed) => {
        if (!options.concerns || changed.length === 0 || options.concerns(changed)) void this.look();
      });
      const timer = options.every ? setInterval(() => document.visibilityState === 'visible' && void this.look(), options.every) : undefined;
      return () => {
        this.#left = true;
        stop();
        clearInterval(timer);
        clearTimeout(this.#retry);
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
    clearTimeout(this.#retry);
    this.busy = true;
    try {
      do {
        this.#again = false;
        this.value = await this.#read();
        this.problem = null;
        this.#failures = 0;
      } while (this.#again);
    } catch (thrown) {
      this.problem = asProblem(thrown);
      this.#tryLater();
    } finally {
      this.busy = false;
    }
  }

  /** What fails on the way or at the platform mends itself once the platform is back; what it refuses stays refused. */
  #tryLater(): void {
    if (this.#left || !(this.problem?.isAway || (this.problem?.status ?? 0) >= 500)) return;
    this.#failures += 1;
    this.#retry = setTimeout(() => void this.look(), pause(this.#failures));
  }

  /** Shows what another call has already answered. */
  take(value: T): void {
    this.value = value;
    this.problem = null;
  }
}
