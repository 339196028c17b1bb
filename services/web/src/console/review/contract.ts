// Review in depth as the platform tells of it: the checklist with its answers, comments, what came of a return, who reviews it, who has it open, many decisions at once.
import { data, type Schema } from '../../api/client.ts';
import { api } from '../session.svelte.ts';

export type Answer = Schema['ChecklistAnswer'];
/** A point that whoever takes the step answers; `may_not_apply` where it may not concern this alert. */
export type AskedItem = Schema['AskedItem'];
export type Checklist = Schema['Checklist'];
export type GivenAnswer = Schema['AnsweredItem'];
/** An answer as the history keeps it, with the question that it was given to. */
export type KeptAnswer = Schema['AnswerShown'];

/** An alert that was sent back and comes again. */
export type Returned = Schema['Returned'];
/** One field that is another since the return; of the audience only that it is. */
export type Changed = Schema['Changed'];
/** Who has claimed it and until when, where somebody has. */
export type Claim = Partial<Schema['Claimed']>;

export type Comment = Schema['AlertComment'];
export type CommentPage = Schema['AlertComments'];
export type NewComment = Schema['NewComment'];

export type Other = Schema['OtherPresent'];
/** `known` is false while nobody can tell who else has it open. */
export type Presence = Schema['OthersPresent'];

export type Caution = Schema['Caution'];
export type Decision = Schema['DecisionRequest'];
export type OneOfMany = Schema['OneOfMany'];
export type DecisionResult = Schema['OneDecided'];

/** Something of the work on a draft, as the live line tells: who claims it, what is commented, who has it open. */
export interface Work { alert_id: string; what: 'claim' | 'comments' | 'presence'; at: string }

const of = (alert: string) => ({ path: { alert_id: alert } });

export const decide = (alert: string, body: Decision) => data(api.POST('/api/v1/alerts/{alert_id}/decisions', { params: of(alert), body }));
export const decideMany = (decisions: OneOfMany[]) => data(api.POST('/api/v1/alerts/decisions', { body: { decisions } }));
/** Says that the whole of this version is before the caller. */
export const look = (alert: string, version: number) => data(api.POST('/api/v1/alerts/{alert_id}/look', { params: of(alert), body: { version } }));

export const readComments = (alert: string) => data(api.GET('/api/v1/alerts/{alert_id}/comments', { params: of(alert) }));
export const comment = (alert: string, body: NewComment) => data(api.POST('/api/v1/alerts/{alert_id}/comments', { params: of(alert), body }));
export const resolve = (alert: string, id: string, resolved: boolean) =>
  data(api.PUT('/api/v1/alerts/{alert_id}/comments/{comment_id}/resolved', { params: { path: { alert_id: alert, comment_id: id } }, body: { resolved } }));

export const claim = (alert: string, take_over: boolean): Promise<Claim> => data(api.PUT('/api/v1/alerts/{alert_id}/claim', { params: of(alert), body: { take_over } }));
export const release = (alert: string) => data(api.DELETE('/api/v1/alerts/{alert_id}/claim', { params: of(alert) }));

export const present = (alert: string, editing: boolean): Promise<Presence> => data(api.PUT('/api/v1/alerts/{alert_id}/presence', { params: of(alert), body: { editing } }));
export const left = (alert: string) => data(api.DELETE('/api/v1/alerts/{alert_id}/presence', { params: of(alert) }));
