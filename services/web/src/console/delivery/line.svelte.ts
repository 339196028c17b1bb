// The live line of one delivery: the platform tells the whole of it when it changed. However fast it tells, a page reads and draws at
// most four times a second, in one frame, and only the newest telling; where there is no line, it asks every two seconds.
import { asProblem, data, type Problem } from '../../api/client.ts';
import type { Delivery } from '../alert/contract.ts';
import { api } from '../session.svelte.ts';

export type { Delivery };

const ASKED_EVERY = 2000;
/** Nobody reads numbers that change faster. */
const SHOWN_EVERY = 250;

export class DeliveryLine {
  value = $state.raw<Delivery>();
  problem = $state.raw<Problem | null>(null);
  isLive = $state(false);
  #id: string;
  #taken: (delivery: Delivery) => void;
  #newest: string | null = null;
  #frame = 0;
  #shownAt = 0;
  #turn: ReturnType<typeof setTimeout> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #source: EventSource | null = null;

  /** `taken` is called with every telling that is shown. Opens with the page and ends with it. */
  constructor(id: string, taken: (delivery: Delivery) => void) {
    this.#id = id;
    this.#taken = taken;
    $effect(() => {
      this.#open();
      void this.look();
      return () => this.#close();
    });
  }

  #open(): void {
    this.#source = new EventSource(`/api/v1/alerts/${encodeURIComponent(this.#id)}/delivery/events`);
    this.#source.addEventListener('open', () => {
      this.isLive = true;
      clearTimeout(this.#timer);
    });
    this.#source.addEventListener('error', () => {
      this.isLive = false;
      this.#askLater();
    });
    this.#source.addEventListener('delivery', (event) => {
      // Not even read before its turn: of two hundred a second four are.
      this.#newest = (event as MessageEvent<string>).data;
      this.#turn ??= setTimeout(() => (this.#frame = requestAnimationFrame(this.#show)), Math.max(0, SHOWN_EVERY - (performance.now() - this.#shownAt)));
    });
  }

  #show = (): void => {
    this.#turn = undefined;
    this.#shownAt = performance.now();
    const told = this.#newest;
    this.#newest = null;
    if (told) this.#take(JSON.parse(told) as Delivery);
  };

  #take(delivery: Delivery): void {
    this.value = delivery;
    this.problem = null;
    this.#taken(delivery);
  }

  #askLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look().finally(() => this.isLive || this.#askLater()), ASKED_EVERY);
  }

  /** Asks now. */
  async look(): Promise<void> {
    try {
      this.#take(await data(api.GET('/api/v1/alerts/{id}/delivery', { params: { path: { id: this.#id } } })));
    } catch (thrown) {
      this.problem = asProblem(thrown);
    }
  }

  #close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#turn);
    cancelAnimationFrame(this.#frame);
    this.#source?.close();
    this.#source = null;
  }
}
