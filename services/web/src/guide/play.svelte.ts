// The guide's play: remembers in this tab which phone and which alert it is about, and looks every three seconds how far it has come.
import { asProblem, Problem } from '../api/client.ts';
import { kept } from '../resident/device.ts';
import { now } from '../words/time.svelte.ts';
import * as demo from './demo.ts';
import { isAlertText, type Seen } from './story.ts';

interface Memory { phone: string; community: string; before: string[] | null; alert: string | null; reported: number; textsBefore: number }

const KEPT = 'fenghuo.guide';
const CENTRE = '500103';

export class Play {
  accounts = $state.raw<demo.Account[]>([]);
  memory = $state.raw<Memory | null>(null);
  seen = $state.raw<Seen>({ registered: false, reported: false, state: null, texts: 0, acknowledged: false });
  /** What the phone got, newest first. */
  texts = $state.raw<string[]>([]);
  problem = $state.raw<Problem | null>(null);
  busy = $state('');
  #watchers = new Map<string, Promise<demo.Watcher>>();
  #looking = false;
  /** Alerts that the story is not about. */
  #others = new Set<string>();

  constructor(accounts: demo.Account[]) {
    this.accounts = accounts;
  }

  account(login: string): demo.Account | undefined {
    return this.accounts.find((account) => account.login === login);
  }

  /** Begins with a phone of its own; goes on where this tab was. */
  begin(): () => void {
    let timer: ReturnType<typeof setInterval> | undefined;
    void this.#attempt('', async () => {
      this.memory = restored();
      if (!this.memory) await this.another();
      await this.look();
    });
    timer = setInterval(() => document.visibilityState === 'visible' && void this.look(), 3000);
    return () => clearInterval(timer);
  }

  /** Plays with another phone, from the beginning. */
  async another(): Promise<void> {
    const all = await demo.phones();
    const at = all.findIndex((one) => one.phone === this.memory?.phone);
    const one = all[(at + 1) % all.length];
    if (!one) return;
    this.#remember({ phone: one.phone, community: one.community, before: null, alert: null, reported: 0, textsBefore: 0 });
    this.seen = { ...this.seen, reported: false, state: null, acknowledged: false };
    await this.look();
  }

  /** Looks how far it has come. */
  async look(): Promise<void> {
    const memory = this.memory;
    if (!memory || this.#looking) return;
    this.#looking = true;
    try {
      const reviewer = await this.#watch(`review.${CENTRE}`);
      const resident = await kept<string>('token');
      const got = await demo.texts(memory.phone);
      this.texts = [...got].reverse();
      let { before, alert } = memory;
      if (reviewer && !alert) {
        const waiting = (await demo.alertsIn('district_review', reviewer)).map((line) => line.alert_id);
        if (!before) before = waiting;
        else alert = await this.#ours(waiting.filter((id) => !before?.includes(id)), reviewer);
      }
      const state = reviewer && alert ? (await demo.alertOf(alert, reviewer)).state : null;
      const mine = resident && alert ? (await demo.inboxOf(resident).catch(() => [])).find((item) => item.alert_id === alert) : undefined;
      if (before !== memory.before || alert !== memory.alert) this.#remember({ ...memory, ...this.memory, before, alert });
      this.seen = {
        registered: resident !== undefined, reported: memory.reported > 0, state,
        texts: got.filter(isAlertText).length - memory.textsBefore, acknowledged: this.seen.acknowledged || Boolean(mine?.acknowledged_at),
      };
      this.problem = null;
    } catch (thrown) {
      this.problem = asProblem(thrown);
      if (this.problem.status === 401) this.#watchers.clear();
    } finally {
      this.#looking = false;
    }
  }

  /** Which of the alerts that are new to the district the story is about: the one that the report led to, or, reported by
   * hand in the console, one from the same community. */
  async #ours(fresh: string[], by: demo.Watcher): Promise<string | null> {
    const { reported, community } = this.memory ?? { reported: 0, community: '' };
    for (const id of fresh.filter((id) => !this.#others.has(id)).slice(0, 10)) {
      const records = await demo.recordsOf(id, by);
      if (records?.some((record) => (reported ? Date.parse(record.occurred_at) === reported : record.area === community))) return id;
      if (records) this.#others.add(id);
    }
    return null;
  }

  /** Reports the phone's owner as a close contact. */
  report(): Promise<void> {
    return this.#attempt('report', async () => {
      const by = (await this.#watch('unit.centre')) ?? (await this.#watch(`review.${CENTRE}`));
      if (!by || !this.memory) return;
      // A moment ago by the platform's clock, to the millisecond: by it the story's alert is told from others.
      const at = now() - 60_000;
      const told = await demo.report(this.memory.phone, at, by);
      const refused = told.refused_rows?.[0];
      if (refused) throw new Problem(400, 'refused', refused.reason, refused.reason_en);
      this.#remember({ ...this.memory, reported: at, textsBefore: this.texts.filter(isAlertText).length });
      await this.look();
    });
  }

  /** Opens the console as one of the staff, signed in with both factors. */
  open(login: string, path: string): Promise<void> {
    const account = this.account(login);
    // Opened at once: after an answer of the network a browser takes it for an advertisement.
    const page = window.open('', '_blank');
    return this.#attempt(`open ${login}`, async () => {
      try {
        if (account) await demo.enter(account);
      } catch (thrown) {
        page?.close();
        throw thrown;
      }
      if (page) page.location.href = path;
      else location.href = path;
    });
  }

  forward(minutes: number): Promise<void> {
    return this.#attempt(`forward ${minutes}`, async () => {
      await demo.putForward(minutes);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await this.look();
    });
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    this.busy = what;
    this.problem = null;
    try {
      await work();
    } catch (thrown) {
      this.problem = asProblem(thrown);
    } finally {
      this.busy = '';
    }
  }

  /** Signs in once for the guide alone, beside whoever is signed in at the console. */
  async #watch(login: string): Promise<demo.Watcher | undefined> {
    const account = this.account(login);
    if (!account) return undefined;
    let found = this.#watchers.get(login);
    if (!found) {
      found = demo.signIn(account);
      this.#watchers.set(login, found);
      found.catch(() => this.#watchers.delete(login));
    }
    return found;
  }

  #remember(memory: Memory): void {
    this.memory = memory;
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(memory));
    } catch {
      // The play begins anew after a reload.
    }
  }
}

function restored(): Memory | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Memory | null;
  } catch {
    return null;
  }
}
