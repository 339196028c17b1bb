// Review in depth as the platform tells of it: the checklist with its answers, comments, what came of a return, who reviews it, who has it open, many decisions at once.
// TO GO: from the interface's types: each shape is `Schema['…']` once the platform's own description has it:
// Comment is AlertComment, CommentPage AlertComments, Claim Claimed, Other OtherPresent, Presence OthersPresent, DecisionResult OneDecided, the others by their names.
import type { Schema } from '../../api/client.ts';
import { api } from '../session.svelte.ts';
import { data } from '../../api/client.ts';
import type { Action, State } from '../../words/alert.ts';

type Passage = Schema['Passage'];

export type Answer = 'yes' | 'no' | 'not_applicable';

/** A point that whoever takes the step answers; `may_not_apply` where it may not concern this alert. */
export interface ChecklistItem { item: string; question: string; question_en: string; may_not_apply: boolean }
export interface Checklist { action: Action; items: ChecklistItem[] }
export interface GivenAnswer { item: string; answer: Answer; note?: string }
/** An answer as the history keeps it, with the question that it was given to. */
export interface KeptAnswer { item: string; question: string; question_en: string; answer: Answer; note: string | null }

/** An alert that was sent back and comes again. */
export interface Returned { by: string; at: string; action: Action; reason: string; version: number; passages: { passage: Passage; /** False: touched since. */ stands: boolean }[] }
/** One field that is another since the return; of the audience only that it is. */
export interface Changed { field: string; language: Schema['Language'] | null; was: unknown; is: unknown }

export interface Claim { claimed_by: string | null; claimed_until: string | null }

/** What an alert's detail says of its review. */
export interface InReview extends Claim {
  checklist: Checklist | null;
  open_comments: number;
  may_claim: boolean;
  looked: boolean;
  returned: Returned | null;
  changed_since_return: Changed[];
}
/** What a list says of it. */
export interface InReviewLine extends Claim { open_comments: number; returned: boolean }

export interface Comment {
  comment_id: string;
  reply_to: string | null;
  by: string;
  at: string;
  version: number;
  passage: Passage | null;
  /** Whether its words still stand there; null for a comment on the whole. */
  stands: boolean | null;
  text: string;
  resolved_at: string | null;
  resolved_by: string | null;
  may_resolve: boolean;
}
export interface CommentPage { comments: Comment[]; open: number; may_comment: boolean }
export interface NewComment { version: number; text: string; passage?: Passage; reply_to?: string }

export interface Other { staff: string; editing: boolean; since: string }
/** `known` is false while nobody can tell who else has it open. */
export interface Presence { others: Other[]; known?: boolean }

export type Caution = Schema['Caution'] | 'open_comments' | 'claimed_by_other' | 'contradicts_another';
export interface Decision { version: number; action: Action; reason?: string; answers?: GivenAnswer[]; known?: Caution[]; passage?: Passage; public_reason?: Schema['PublicReason'] }
export interface OneOfMany { alert_id: string; decision: Decision }
export interface ManyDecisions { decisions: OneOfMany[] }
export interface DecisionResult { alert_id: string; decided: boolean; state: State | null; version: number | null; problem: Schema['Problem'] | null }

/** Something of the work on a draft, as the live line tells: who claims it, what is commented, who has it open. */
export interface Work { alert_id: string; what: 'claim' | 'comments' | 'presence'; at: string }

const anyPath = api as unknown as Record<'GET' | 'POST' | 'PUT' | 'DELETE', (path: string, init?: { body: unknown }) => Promise<{ data?: unknown }>>;
const told = async <T>(answer: Promise<{ data?: unknown }>): Promise<T> => (await data(answer)) as T;
const at = (alert: string) => `/api/v1/alerts/${alert}`;

export const decide = (alert: string, body: Decision) => told<Schema['AlertDetail']>(anyPath.POST(`${at(alert)}/decisions`, { body }));
export const decideMany = (body: ManyDecisions) => told<{ results: DecisionResult[] }>(anyPath.POST('/api/v1/alerts/decisions', { body }));
/** Says that the whole of this version is before the caller. */
export const look = (alert: string, version: number) => told<void>(anyPath.POST(`${at(alert)}/look`, { body: { version } }));

export const readComments = (alert: string) => told<CommentPage>(anyPath.GET(`${at(alert)}/comments`));
export const comment = (alert: string, body: NewComment) => told<CommentPage>(anyPath.POST(`${at(alert)}/comments`, { body }));
export const resolve = (alert: string, id: string, resolved: boolean) => told<CommentPage>(anyPath.PUT(`${at(alert)}/comments/${id}/resolved`, { body: { resolved } }));

export const claim = (alert: string, take_over: boolean) => told<Claim>(anyPath.PUT(`${at(alert)}/claim`, { body: { take_over } }));
export const release = (alert: string) => told<void>(anyPath.DELETE(`${at(alert)}/claim`));

export const present = (alert: string, editing: boolean) => told<Presence>(anyPath.PUT(`${at(alert)}/presence`, { body: { editing } }));
export const left = (alert: string) => told<void>(anyPath.DELETE(`${at(alert)}/presence`));
