// The word that ends an alert, as the platform tells of it: withdrawn, all clear, or corrected; asked by one, confirmed by another.
// TO GO: these shapes stand here until the platform's own description has them; then each is `Schema['…']` of the same name.
import type { Schema } from '../../api/client.ts';
import type { PublicReason, Role } from '../../words/alert.ts';
import { ask, type AlertContent, type AlertDetail, type AlertText } from '../alert/contract.ts';

/** Withdrawn as false, the danger is over, or put right. */
export type RetractionKind = 'withdraw' | 'all_clear' | 'correct';
export type RetractionState = 'asked' | 'confirmed' | 'refused' | 'taken_back' | 'overtaken' | 'expired';
export type RetractionStep = 'confirm' | 'refuse' | 'take_back';

/** The one that waits, as an alert's detail names it. */
export interface WaitingRetraction { retraction_id: string; kind: RetractionKind; asked_at: string; asked_by: string; open_steps: RetractionStep[] }

/** What an alert's detail says of stop and retraction. */
export interface Retractable {
  held_at?: string | null;
  held_by?: string | null;
  /** Somebody may have it: one person alone cannot end it. */
  handed?: boolean;
  retraction?: WaitingRetraction | null;
  /** A correction made by two: it goes to exactly those who have the old alert, whatever its audience says. */
  for_holders?: boolean;
}

type Sms = Record<string, { text: string; segments: number }>;

export interface PreparedWord {
  kind: RetractionKind;
  texts: Record<string, AlertText>;
  sms: Sms;
  /** To be changed, of a correction. */
  content?: AlertContent | null;
  faults?: AlertDetail['faults'];
}

/** How far people have been told. Times in seconds after the confirmation. */
export interface ToldOfRetraction {
  first_hand_over_at: string | null;
  last_hand_over_at: string | null;
  people: number;
  handed_over: number;
  open: number;
  unreachable: number;
  confirm_to_first_s: number | null;
  confirm_to_last_s: number | null;
}

export interface Retraction {
  retraction_id: string;
  kind: RetractionKind;
  state: RetractionState;
  by_stop: boolean;
  reason: string;
  public_reason: PublicReason | null;
  asked_by: string;
  asked_at: string;
  decided_by: string | null;
  decided_at: string | null;
  decided_reason: string | null;
  texts: Record<string, AlertText>;
  sms: Sms;
  content?: AlertContent | null;
  correction?: string | null;
  open_steps: RetractionStep[];
  ask_to_confirm_s: number | null;
  told: ToldOfRetraction | null;
}

export interface PlaybookStep { title: string; title_en: string; who: string; who_en: string; done: boolean }
export interface PlaybookPerson { id: string; name: string; role: Role; scope: string; signed_in_at: string | null }
export interface Playbook { steps: PlaybookStep[]; ask: PlaybookPerson[]; confirm: PlaybookPerson[]; signed_in: number; note: { zh: string; en: string } | null }

export interface RetractionView {
  alert_id: string;
  version: number;
  state: string;
  class: Schema['DeliveryClass'];
  held_at: string | null;
  handed: boolean;
  may_ask: RetractionKind[];
  public_reasons: PublicReason[];
  prepared: PreparedWord[];
  waiting: Retraction | null;
  earlier: Retraction[];
  playbook: Playbook;
}

/** What waits in the caller's view, as the overview lists it. */
export interface RetractionLine {
  alert_id: string;
  retraction_id: string;
  kind: RetractionKind;
  class: Schema['DeliveryClass'];
  district: string | null;
  headline: string;
  asked_at: string;
  asked_by: string;
  held: boolean;
  mine: boolean;
}

const at = (alert: string) => `/api/v1/alerts/${alert}/retraction`;

export const readRetraction = (alert: string, reason?: PublicReason | null) => ask<RetractionView>(reason ? `${at(alert)}?public_reason=${reason}` : at(alert));
export const readPlaybook = (alert: string) => ask<Playbook>(`/api/v1/alerts/${alert}/playbook`);

export interface RetractionRequest { kind: RetractionKind; reason: string; public_reason?: PublicReason | null; content?: AlertContent; version: number }
export const askForRetraction = (alert: string, body: RetractionRequest) => ask<RetractionView>(at(alert), body);

export interface RetractionDecision { retraction_id: string; step: RetractionStep; reason: string; resume: boolean }
export const decideRetraction = (alert: string, body: RetractionDecision) => ask<RetractionView>(`${at(alert)}/decisions`, body);

/** One officer stops it at once, or lets it go on. */
export const stopOrResume = (alert: string, body: { action: 'stop' | 'resume'; reason: string; public_reason?: PublicReason | null }) => ask<AlertDetail>(`/api/v1/alerts/${alert}/decisions`, body);
