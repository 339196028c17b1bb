// What waits for somebody at the console, wherever in it they are: which of it counts, which of it rings, which of it stands over every page.
import type { Schema } from '../../api/client.ts';
import type { Role } from '../../words/alert.ts';
import type { AlertLine } from '../alert/contract.ts';
import { isUntakenHelp, pressing } from '../casework/clocks.ts';
import type { CaseLine } from '../casework/contract.ts';
import { waitingFor } from '../casework/lists.ts';
import { addressOf, inTurn, isPressing, waitsSince } from '../home/queue.ts';

/** Where in the menu something is counted. */
export type Counted = '/' | '/proposals' | '/community' | '/feedback' | '/casework';

/** Something that waits for a decision of whoever is signed in. */
export interface Task {
  /** The same alert that comes back with another version waits anew. */
  key: string;
  counted: Counted;
  address: string;
  /** In Chinese, as it was written; nobody's name is ever in it. */
  headline: string;
  kind: 'first_review' | 'city_review' | 'second_officer' | 'to_mend' | 'retraction' | 'account_change' | 'in_need' | 'urgent_help' | 'case' | 'case_close' | 'case_late';
  urgent: boolean;
  exercise: boolean;
  since: string;
}

const deciding: readonly Role[] = ['city_command_officer', 'district_reviewer', 'submitting_unit'];

/** What of the platform is asked for on behalf of a role; it decides itself what it shows to whom. */
export function asksFor(role: Role): { alerts: boolean; proposals: boolean; visits: boolean; feedback: boolean; cases: boolean } {
  return {
    alerts: deciding.includes(role),
    proposals: role === 'administrator',
    visits: role === 'community_worker',
    feedback: role === 'community_worker' || role === 'district_reviewer',
    cases: waitingFor(role).length > 0,
  };
}

function kindOf(line: Pick<AlertLine, 'state' | 'retraction'>): Task['kind'] {
  if (line.retraction) return 'retraction';
  switch (line.state) {
    case 'awaiting_confirmation':
      return 'second_officer';
    case 'city_review':
      return 'city_review';
    case 'draft':
      return 'to_mend';
    default:
      return 'first_review';
  }
}

/** Alerts that wait for a decision of the caller, first things first. */
export function ofAlerts(lines: readonly AlertLine[]): Task[] {
  return inTurn(lines).map((line) => ({
    key: `alert:${line.alert_id}:${line.version}`,
    counted: '/',
    address: addressOf(line),
    headline: line.headline,
    kind: kindOf(line),
    urgent: isPressing(line),
    exercise: line.exercise,
    since: waitsSince(line),
  }));
}

/** Changes of accounts that the caller may confirm. */
export function ofProposals(proposals: readonly Pick<Schema['Proposal'], 'id' | 'open_steps' | 'proposed_at'>[]): Task[] {
  return proposals
    .filter(({ open_steps }) => open_steps.includes('confirm'))
    .map(({ id, proposed_at }) => ({ key: `proposal:${id}`, counted: '/proposals', address: '/proposals', headline: '', kind: 'account_change', urgent: false, exercise: false, since: proposed_at }));
}

/** Residents who wrote that they are in need and were not answered. */
export function ofFeedback(rows: readonly Pick<Schema['Feedback'], 'feedback_id' | 'urgent' | 'answer' | 'headline' | 'at'>[]): Task[] {
  return rows
    .filter(({ urgent, answer }) => urgent && typeof answer !== 'string')
    .map(({ feedback_id, headline, at }) => ({ key: `feedback:${feedback_id}`, counted: '/feedback', address: '/feedback', headline: headline ?? '', kind: 'in_need', urgent: false, exercise: false, since: at }));
}

function caseKind(line: Pick<CaseLine, 'kind' | 'state' | 'due'>): Task['kind'] {
  if (isUntakenHelp(line)) return 'urgent_help';
  const level = pressing(line.due);
  return level === 'late' ? 'case_late' : level === 'close' ? 'case_close' : 'case';
}

/** Cases that wait for the caller, each once though it stands in two lists. What somebody wrote is in no headline: it may come up over other windows. */
export function ofCases(lines: readonly Pick<CaseLine, 'number' | 'kind' | 'state' | 'round' | 'received_at' | 'due'>[]): Task[] {
  return [...new Map(lines.map((line) => [line.number, line])).values()].map((line) => ({
    // Four fifths of its time and all of it are news of their own.
    key: `case:${line.number}:${line.state}:${line.round}:${caseKind(line)}`,
    counted: '/casework',
    address: `/casework/${line.number}`,
    headline: line.number,
    kind: caseKind(line),
    urgent: isUntakenHelp(line),
    exercise: false,
    since: line.received_at,
  }));
}

/** What has not been seen before. Nothing is new to whoever has just come in: they look for themselves. */
export function fresh(seen: ReadonlySet<string> | null, tasks: readonly Task[]): Task[] {
  return seen ? tasks.filter(({ key }) => !seen.has(key)) : [];
}

/** Whether the page at this address shows it by itself: where it is decided, where it is listed, and beside the alert that it ends. */
export function isShownAt(task: Pick<Task, 'address' | 'counted' | 'kind'>, path: string): boolean {
  return path === task.address || path === task.counted || (task.kind === 'retraction' && task.address === `${path}/retraction`);
}

/** Where the page at this address stands among what waits for a decision, counted from 1, with its neighbours; null where it does not wait. */
export function positionIn(tasks: readonly Task[], path: string): { at: number; of: number; before: Task | null; after: Task | null } | null {
  const queue = tasks.filter(({ counted, kind }) => counted === '/' && kind !== 'to_mend');
  const at = queue.findIndex((task) => isShownAt({ ...task, counted: '/proposals' }, path));
  if (at < 0) return null;
  return { at: at + 1, of: queue.length, before: queue[at - 1] ?? null, after: queue[at + 1] ?? null };
}

/** What stands over the page at this address until somebody has taken it: the real before exercises, what people are acting on wrongly this moment before what they are to be told, the oldest first. */
export function overPage(tasks: readonly Task[], path: string): Task[] {
  const rank = ({ exercise, kind }: Task) => (exercise ? 2 : 0) + (kind === 'retraction' ? 0 : 1);
  return tasks.filter((task) => task.urgent && !isShownAt(task, path)).sort((one, other) => rank(one) - rank(other) || Date.parse(one.since) - Date.parse(other.since));
}

/** How new things are told. */
export interface Ring {
  sound: 'none' | 'soft' | 'urgent';
  /** Each is a notification of its own, on top of other windows. */
  notify: Task[];
  /** Said to whoever listens instead of looks: at once, or when there is a pause. */
  assertive: Task[];
  polite: Task[];
}

/** How `tasks` that are new are told to somebody who looks at the page `path`, or at none (`attentive` is false). */
export function ringFor(tasks: readonly Task[], path: string, attentive: boolean): Ring {
  const unseen = attentive ? tasks.filter((task) => !isShownAt(task, path)) : [...tasks];
  const urgent = unseen.filter((task) => task.urgent);
  return {
    sound: urgent.length ? 'urgent' : unseen.length ? 'soft' : 'none',
    notify: attentive ? [] : unseen,
    assertive: urgent,
    polite: unseen.filter((task) => !task.urgent),
  };
}

/** How long an urgent thing that nobody takes keeps quiet before it rings again. */
export const RING_AGAIN_MS = 60_000;

/** Whether what is urgent has to ring once more: nobody has taken it, and nobody looks. */
export function ringsAgain(tasks: readonly Task[], attentive: boolean, rangAt: number, now: number): boolean {
  return !attentive && now - rangAt >= RING_AGAIN_MS && tasks.some((task) => task.urgent && !task.exercise);
}

/** How much time is left of the `minutes` that an urgent alert has, in milliseconds; negative once they are over. */
export function timeLeft(task: Pick<Task, 'since'>, minutes: number, now: number): number {
  return Date.parse(task.since) + minutes * 60_000 - now;
}

/** The title of the tab: how much waits, the page, the platform. */
export function titled(waiting: number, page: string, platform: string): string {
  return `${waiting > 0 ? `(${waiting > 99 ? '99+' : waiting}) ` : ''}${page && page !== platform ? `${page} · ` : ''}${platform}`;
}

/** Whether this tab is the one to ring for these: of several that are open, only the first to say so does. `rung` is what others said, by key. */
export function claimed(rung: Readonly<Record<string, number>>, tasks: readonly Task[], now: number): { mine: Task[]; rung: Record<string, number> } {
  const kept = Object.fromEntries(Object.entries(rung).filter(([, at]) => now - at < RING_AGAIN_MS));
  const mine = tasks.filter(({ key }) => !(key in kept));
  return { mine, rung: { ...kept, ...Object.fromEntries(mine.map(({ key }) => [key, now])) } };
}
