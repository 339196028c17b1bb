// What waits for whoever is signed in, read beside every page: when an alert changes, and every minute, also while nobody looks at the tab.
import { data } from '../../api/client.ts';
import type { AlertLine } from '../alert/contract.ts';
import { ask } from '../alert/contract.ts';
import { readCases } from '../casework/contract.ts';
import { waitingFor, wantedOf } from '../casework/lists.ts';
import { people } from '../community/people.ts';
import { onChange } from '../live.svelte.ts';
import { path } from '../router.svelte.ts';
import { api, type SignedIn } from '../session.svelte.ts';
import { ring, ringOnceMore, wakeVoice } from './bell.svelte.ts';
import { asksFor, fresh, ofAlerts, ofCases, ofFeedback, ofProposals, ringFor, ringsAgain, type Counted, type Task } from './tasks.ts';
import { sentence } from './words.ts';

const EVERY_MS = 60_000;
/** No line tells of cases, and nobody who needs help may wait two minutes. */
const CASES_MS = 15_000;
/** A city that changes all the time is looked at so often and no oftener. */
const REST_MS = 2_000;
const CHECK_MS = 5_000;

const state = $state<{ tasks: Task[]; counts: Partial<Record<Counted, number>>; urgentMinutes: number | null; assertive: string; polite: string }>({
  tasks: [], counts: {}, urgentMinutes: null, assertive: '', polite: '',
});
let seen: ReadonlySet<string> | null = null;
let rangAt = 0;

export const tasks = (): Task[] => state.tasks;
/** How much waits on a page of the menu; undefined where nothing is counted. */
export const countOn = (page: string): number | undefined => state.counts[page as Counted];
/** How much waits altogether. */
export const countAll = (): number => Object.values(state.counts).reduce((sum, count) => sum + count, 0);
/** In how many minutes an urgent alert has to be with everybody (CQ10), as the platform says it; null where it does not. */
export const urgentMinutes = (): number | null => state.urgentMinutes;
/** What whoever listens is told at once, and what when there is a pause. */
export const spoken = (): { assertive: string; polite: string } => state;

const isAttentive = () => document.visibilityState === 'visible' && document.hasFocus();

async function read(me: SignedIn): Promise<{ tasks: Task[]; counts: Partial<Record<Counted, number>> }> {
  const asks = asksFor(me.role);
  const [alerts, proposals, visits, feedback, cases] = await Promise.all([
    asks.alerts ? ask<AlertLine[]>('/api/v1/alerts?waiting=true&limit=200').then(ofAlerts) : [],
    asks.proposals ? data(api.GET('/api/v1/proposals')).then(ofProposals) : [],
    asks.visits ? data(api.GET('/api/v1/follow-ups', { params: { query: { closed: false, after: 0 } } })).then((rows) => people(rows).length) : 0,
    asks.feedback ? data(api.GET('/api/v1/feedback', { params: { query: { answered: false, after: 0 } } })) : [],
    Promise.all(waitingFor(me.role).map((list) => readCases({ ...wantedOf(me.role, list), limit: 100 }))).then((pages) => ofCases(pages.flatMap(({ cases }) => cases))),
  ]);
  const counts = {
    ...(asks.alerts && { '/': alerts.length }),
    ...(asks.proposals && { '/proposals': proposals.length }),
    ...(asks.visits && { '/community': visits }),
    ...(asks.feedback && { '/feedback': feedback.length }),
    ...(asks.cases && { '/casework': cases.length }),
  };
  return { tasks: [...alerts, ...proposals, ...ofFeedback(feedback), ...cases], counts };
}

function take(found: Task[]): void {
  const told = fresh(seen, found);
  seen = new Set(found.map(({ key }) => key));
  if (!told.length) return;
  const how = ringFor(told, path(), isAttentive());
  if (how.assertive.length) rangAt = Date.now();
  state.assertive = how.assertive.map(sentence).join('\n');
  state.polite = how.polite.map(sentence).join('\n');
  ring(how);
}

/** Begins to watch over what waits for this person; returns how to stop. */
export function attend(me: SignedIn): () => void {
  let stopped = false;
  let busy = false;
  let again = false;
  let lookedAt = 0;
  const look = async () => {
    again = busy;
    if (busy || stopped) return;
    busy = true;
    try {
      do {
        again = false;
        lookedAt = Date.now();
        const found = await read(me);
        if (stopped) return;
        [state.tasks, state.counts] = [found.tasks, found.counts];
        take(found.tasks);
      } while (again);
    } catch {
      // The page itself says that the platform is away; what waited before still does.
    } finally {
      busy = false;
    }
  };
  void look();
  void data(api.GET('/api/v1/limits')).then(({ urgent_minutes }) => !stopped && (state.urgentMinutes = urgent_minutes), () => {});
  let soon: ReturnType<typeof setTimeout> | undefined;
  const hush = onChange(() => {
    soon ??= setTimeout(() => {
      soon = undefined;
      void look();
    }, Math.max(0, lookedAt + REST_MS - Date.now()));
  });
  const timer = setInterval(() => void look(), asksFor(me.role).cases ? CASES_MS : EVERY_MS);
  const check = setInterval(() => {
    if (!ringsAgain(state.tasks, isAttentive(), rangAt, Date.now())) return;
    rangAt = Date.now();
    ringOnceMore();
  }, CHECK_MS);
  const asleep = wakeVoice();
  return () => {
    stopped = true;
    hush();
    clearTimeout(soon);
    clearInterval(timer);
    clearInterval(check);
    asleep();
    seen = null;
    Object.assign(state, { tasks: [], counts: {}, urgentMinutes: null, assertive: '', polite: '' });
  };
}

