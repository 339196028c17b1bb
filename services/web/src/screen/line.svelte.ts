// The screen's line to the platform: the list, live; a sign of life every half minute; the proof of play. When the line breaks, it is
// tried again after 1, 2, 4 … 30 seconds, and the screen goes on with what it has.
import { heard, now } from '../words/time.svelte.ts';
import type { Playlist } from './contract.ts';
import { Frames } from './frames.ts';
import { Plays } from './plays.ts';
import { codeOf, Standing } from './standing.ts';

const KEPT = 'fenghuo.screen.list';
const BEAT = 30_000;
const REPORT = 15_000;
/** The platform says something at least every 15 s; who hears nothing three times as long has no line. */
const SILENCE = 45_000;
const LONGEST_REST = 30_000;
/** A key that the platform does not know is tried again so often: it may have been an old copy of the database that said so. */
const REFUSED_REST = 60_000;

export class Line {
  playlist = $state.raw<Playlist | null>(null);
  /** Whether the platform is heard. */
  open = $state(false);
  /** When it was last heard; 0 when never. */
  heardAt = $state(0);
  /** The platform does not know the key, or no longer: nothing is shown until it does. */
  refused = $state(false);
  readonly plays = new Plays();
  readonly #key: string;
  readonly #standing: Standing;
  readonly #stop = new AbortController();
  #stream: AbortController | undefined;

  constructor(key: string) {
    this.#key = key;
    const kept = restored();
    if (kept) {
      this.playlist = kept.playlist;
      this.heardAt = kept.at;
    }
    this.#standing = new Standing(kept !== null);
  }

  /** Begins; returns how to end. */
  begin(): () => void {
    void this.#follow();
    const beat = setInterval(() => void this.#beat(), BEAT);
    const report = setInterval(() => void this.report(), REPORT);
    const back = () => this.#stream?.abort();
    addEventListener('online', back);
    const leave = () => this.plays.keep();
    addEventListener('pagehide', leave);
    return () => {
      this.#stop.abort();
      this.#stream?.abort();
      clearInterval(beat);
      clearInterval(report);
      removeEventListener('online', back);
      removeEventListener('pagehide', leave);
      this.plays.keep();
    };
  }

  async #follow(): Promise<void> {
    let rest = 1000;
    while (!this.#stop.signal.aborted) {
      const began = Date.now();
      try {
        await this.#listen();
      } catch {
        // Whatever broke it: it is tried again.
      }
      this.open = false;
      if (Date.now() - began > SILENCE) rest = 1000;
      const wait = this.refused ? REFUSED_REST : rest;
      await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
      rest = Math.min(LONGEST_REST, rest * 2);
    }
  }

  async #listen(): Promise<void> {
    const stream = new AbortController();
    this.#stream = stream;
    let watch = setTimeout(() => stream.abort(), SILENCE);
    try {
      const headers: Record<string, string> = { ...this.#proof(), accept: 'text/event-stream' };
      if (this.playlist) headers['last-event-id'] = String(this.playlist.revision);
      const answer = await fetch('/api/v1/screen/events', { headers, cache: 'no-store', signal: stream.signal });
      if (!(await this.#takes(answer)) || !answer.body) return;
      this.#hear(answer);
      const frames = new Frames();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(watch);
        watch = setTimeout(() => stream.abort(), SILENCE);
        this.heardAt = now();
        for (const frame of frames.take(value)) if (frame.event === 'playlist') this.#play(JSON.parse(frame.data) as Playlist);
      }
    } finally {
      clearTimeout(watch);
      stream.abort();
    }
  }

  async #beat(): Promise<void> {
    if (this.refused) return;
    try {
      const answer = await this.#send('/api/v1/screen/heartbeat', { revision: this.playlist?.revision ?? 0 });
      if (!answer) return;
      const { revision, now: theirs } = (await answer.json()) as { revision: number; now: string };
      heard(theirs);
      this.heardAt = now();
      // Another list than the one on show, and the stream has not told: it is opened anew.
      if (this.playlist && revision !== this.playlist.revision) this.#stream?.abort();
    } catch {
      // The next beat tells.
    }
  }

  /** Reports what was played; what is not taken is reported again. */
  async report(): Promise<void> {
    const some = this.plays.next();
    if (!some.length || !this.open) return;
    try {
      if (await this.#send('/api/v1/screen/plays', { plays: some })) this.plays.taken(some);
    } catch {
      // They stay.
    }
  }

  async #send(path: string, body: unknown): Promise<Response | null> {
    const headers = { ...this.#proof(), 'content-type': 'application/json' };
    const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(15_000) });
    if (!(await this.#takes(answer))) return null;
    heard(answer.headers.get('x-fenghuo-time'));
    return answer;
  }

  #proof(): Record<string, string> {
    return { authorization: `Bearer ${this.#key}`, 'x-fenghuo-request': '1' };
  }

  /** Whether it is an answer. A retired screen must fall silent; its key is kept and tried again. */
  async #takes(answer: Response): Promise<boolean> {
    const code = answer.ok ? undefined : await codeOf(answer);
    if (this.#standing.took(answer.status, code, Date.now())) {
      this.refused = true;
      this.playlist = null;
      forgetList();
      this.#stream?.abort();
    }
    if (answer.ok) this.refused = false;
    return answer.ok;
  }

  #hear(answer: Response): void {
    heard(answer.headers.get('x-fenghuo-time'));
    this.open = true;
    this.heardAt = now();
  }

  #play(playlist: Playlist): void {
    this.playlist = playlist;
    try {
      localStorage.setItem(KEPT, JSON.stringify({ playlist, at: now() }));
    } catch {
      // After a restart without network nothing is shown then.
    }
  }
}

function forgetList(): void {
  try {
    localStorage.removeItem(KEPT);
  } catch {
    // Nothing was kept.
  }
}

function restored(): { playlist: Playlist; at: number } | null {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? 'null') as { playlist: Playlist; at: number } | null;
  } catch {
    return null;
  }
}
