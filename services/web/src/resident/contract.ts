// What the platform tells a resident's app, by the names that the app uses.
import type { Schema } from '../api/client.ts';

/** One alert in an inbox. */
export type InboxItem = Schema['InboxItem'];
export type Profile = Schema['Profile'];
export type ConsentNotice = Schema['Notice'];
export type Consent = Schema['Given'];
/** What somebody can say about an alert by themselves; an objection is made where the standing is. */
export type FeedbackKind = Exclude<Schema['FeedbackKind'], 'objection'>;
/** What the resident said about an alert, and what was answered. */
/** TO GO: `objection` and its deadline are the platform's own once its description has them. */
export type Said = Omit<Schema['Feedback'], 'kind'> & { kind: Schema['Feedback']['kind'] | 'objection'; standing_id?: number | null; answer_by?: string | null };
/** A device on which I am signed in. */
export type SignIn = Schema['SignInOn'];
/** Something that I am told about my own registration. */
/** TO GO: the last two kinds are the platform's own once its description has them. */
export type OwnNotice = Omit<Schema['PersonalNotice'], 'kind'> & { kind: Schema['PersonalNotice']['kind'] | 'standing_lifted' | 'standing_again' };
export type CodeSent = Schema['CodeSent'];
export type NumberCodes = Schema['NumberCodes'];
