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
export type Said = Schema['Feedback'];
/** A device on which I am signed in. */
export type SignIn = Schema['SignInOn'];
/** Something that I am told about my own registration. */
export type OwnNotice = Schema['PersonalNotice'];
export type CodeSent = Schema['CodeSent'];
export type NumberCodes = Schema['NumberCodes'];
