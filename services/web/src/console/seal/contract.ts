// What was approved, as the platform sealed it, and whether that is what left.
// TO GO: from the interface's types: each shape is `Schema['…']` once the platform's own description has it:
// ApprovalSeal is ToldSeal, SentText ProvenText, UnlikePart UnlikeNote, the others by their names.
import type { Schema } from '../../api/client.ts';
import { ask } from '../alert/contract.ts';

/** SHA-256, as 64 hexadecimal digits. */
export type Digest = string;
export type SealChannel = 'app' | 'sms' | 'display';

export interface ApprovalSeal {
  texts: { language: Schema['Language']; app: Digest; sms: Digest; screen: Digest }[];
  audience: Digest;
  terms: Digest;
  /** How many people the approver was shown, in tens; null where they are named, or could not be counted. */
  people: number | null;
}
export interface Sealed { seal: ApprovalSeal | null }

export interface SentText { language: Schema['Language']; channel: SealChannel; approved: Digest; sent: Digest | null; sent_at: string | null; same: boolean | null }
export interface DeliveryProof { people_approved: number | null; people_planned: number; audience: Digest; terms: Digest; texts: SentText[] }

export interface UnlikePart { part: 'text' | 'audience' | 'terms' | 'people'; language: Schema['Language'] | null; channel: SealChannel | null; approved: string; found: string; found_at: string }
/** Sending is held: what would leave is not what was approved. */
export interface UnlikeApproved { since: string; parts: UnlikePart[]; sentence: string; sentence_en: string; may_go_on: boolean }
export interface SealedDelivery { proof: DeliveryProof | null; unlike: UnlikeApproved | null }

/** Lets what is held for its number of people go on, by the number that is planned. */
export const goOn = (alert: string, body: { planned: number; reason: string }) => ask<void>(`/api/v1/alerts/${alert}/delivery/go-on`, body);
