// How many people an audience has and whether the deadline can be held, as of now: asked a moment after the last change, the newest
// question wins. An answer to another question is never shown as the answer to this one.
import { asProblem, data, type Problem, type Schema } from '../../api/client.ts';
import type { Forecast } from '../alert/contract.ts';
import { api } from '../session.svelte.ts';
import type { Query } from './urgent.svelte.ts';

export type Counts = Schema['Counts'];
const PAUSE = 350;

export class Count {
  /** Whom it reaches: for an exercise only those enrolled for exercises. */
  reached = $state.raw<Counts | null>(null);
  districts = $state.raw<Record<string, Counts>>({});
  forecast = $state.raw<Forecast | null>(null);
  problem = $state.raw<Problem | null>(null);
  busy = $state(false);
  #turn = 0;

  constructor(question: () => { query: Query | null; exercise: boolean }) {
    $effect(() => {
      const { query, exercise } = question();
      const turn = ++this.#turn;
      this.reached = this.forecast = this.problem = null;
      this.districts = {};
      this.busy = !!query;
      if (!query) return;
      // A copy without the page's bookkeeping: every part of it is read here, so that every change asks anew.
      const asked = JSON.parse(JSON.stringify(query)) as Query;
      const timer = setTimeout(() => void this.#ask(asked, exercise, turn), PAUSE);
      return () => clearTimeout(timer);
    });
  }

  async #ask(query: Query, exercise: boolean, turn: number): Promise<void> {
    try {
      const size = await data(api.POST('/api/v1/audience/size', { body: query }));
      if (turn !== this.#turn) return;
      this.reached = exercise ? size.drill : size;
      this.districts = size.districts;
      const { apns, fcm, web, sms } = this.reached;
      // Of an exercise the platform foresees those who take part.
      const body: Schema['Question'] = exercise ? { class: 'urgent', recipients: { apns, fcm, web, sms } } : { class: 'urgent', audience: { query } };
      const forecast = await data(api.POST('/api/v1/forecast', { body }));
      if (turn === this.#turn) this.forecast = forecast;
    } catch (thrown) {
      // shown beside what is known; nothing waits for it
      if (turn === this.#turn) this.problem = asProblem(thrown);
    } finally {
      if (turn === this.#turn) this.busy = false;
    }
  }
}
