// Many alerts decided at once: each looked at whole before it can be, each with its own answers and reason, each on the version that was seen.
import type { Problem } from '../../api/client.ts';
import type { AlertDetail, AlertLine } from '../alert/contract.ts';
import { backOf, onwardOf } from '../alert/steps.ts';
import { leadsOn, reasonOf, toSend, withoutNote, type Answers } from './answers.ts';
import { isAskedOf } from './cautions.ts';
import type { Caution, DecisionResult, OneOfMany } from './contract.ts';

/** So many go in one request. */
export const MOST = 30;

export type Choice = 'onward' | 'back' | 'leave';

/** One alert in the row of those that are decided together. */
export interface Row {
  id: string;
  detail: AlertDetail | null;
  /** Whether the whole of this version was before the reader. */
  looked: boolean;
  choice: Choice;
  answers: Answers;
  reason: string;
  known: Caution[];
  /** Cautions that the platform asked for when it was tried. */
  asked: Caution[];
  problem: Problem | null;
  step: 'waits' | 'works' | 'done' | 'failed';
}

export function begun(id: string): Row {
  return { id, detail: null, looked: false, choice: 'leave', answers: {}, reason: '', known: [], asked: [], problem: null, step: 'waits' };
}

/** Which of what waits can be decided together: reviews, each on its own page where more is asked than a review. */
export function together(lines: readonly Pick<AlertLine, 'alert_id' | 'state' | 'retraction'>[]): string[] {
  return lines.filter(({ state, retraction }) => !retraction && (state === 'district_review' || state === 'city_review')).slice(0, MOST).map(({ alert_id }) => alert_id);
}

const items = (row: Row) => row.detail?.checklist?.items ?? [];

/** What has to be known before a row goes on. */
export function cautionsOf(row: Row): Caution[] {
  const step = stepOf(row);
  const told = (row.detail?.cautions ?? []).filter((note) => note.must_be_confirmed).map((note) => note.caution as Caution);
  return [...new Set([...told.filter((caution) => step && isAskedOf(caution, step)), ...row.asked])];
}

/** The step that a row is chosen to take, if the reader may take it. */
export function stepOf({ detail, choice }: Pick<Row, 'detail' | 'choice'>) {
  if (!detail || choice === 'leave') return undefined;
  return choice === 'onward' ? onwardOf(detail.open_actions) : backOf(detail.open_actions);
}

/** Why a row cannot be decided as it is chosen: nothing where it can. */
export type Lacks = 'unread' | 'not_seen' | 'closed' | 'faults' | 'answers' | 'notes' | 'reason' | 'cautions';

export function lacking(row: Row): Lacks | null {
  const { detail } = row;
  if (row.choice === 'leave' || row.step === 'done') return null;
  if (!detail) return 'unread';
  if (!row.looked) return 'not_seen';
  if (!stepOf(row)) return 'closed';
  if (row.choice === 'onward' && detail.faults.length) return 'faults';
  if (row.choice === 'onward' && !leadsOn(items(row), row.answers)) return 'answers';
  if (row.choice === 'back' && withoutNote(items(row), row.answers).length) return 'notes';
  if (row.choice === 'back' && row.reason.trim().length < 2) return 'reason';
  if (cautionsOf(row).some((caution) => !row.known.includes(caution))) return 'cautions';
  return null;
}

/** The rows that are chosen and can go. */
export function ready(rows: readonly Row[]): Row[] {
  return rows.filter((row) => row.choice !== 'leave' && row.step !== 'done' && lacking(row) === null);
}

/** The rows that are chosen and lack something. */
export function unready(rows: readonly Row[]): Row[] {
  return rows.filter((row) => lacking(row) !== null);
}

/** A row as it is sent. */
export function decisionOf(row: Row): OneOfMany {
  const known = cautionsOf(row).filter((caution) => row.known.includes(caution));
  return {
    alert_id: row.id,
    decision: {
      version: row.detail!.version,
      action: stepOf(row)!,
      reason: row.choice === 'back' ? row.reason.trim() : '',
      answers: toSend(items(row), row.answers),
      ...(known.length ? { known } : {}),
    },
  };
}

/** The choice with what it needs: a return begins with what was answered with no. */
export function chosen(row: Row, choice: Choice): Pick<Row, 'choice' | 'reason'> {
  return { choice, reason: choice === 'back' && !row.reason.trim() ? reasonOf(items(row), row.answers) : row.reason };
}

/** What came of it: how many were decided, and how many were not. */
export function outcomeOf(results: readonly Pick<DecisionResult, 'decided'>[]): { decided: number; failed: number } {
  const decided = results.filter((result) => result.decided).length;
  return { decided, failed: results.length - decided };
}
