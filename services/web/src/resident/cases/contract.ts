// What the platform tells somebody of what they brought.
// TO GO: from the interface's types: each of these is `Schema['…']` of the same name.
import type { CaseKind, CaseState, DayCounted, DeclineGround, TellBy } from '../../words/casework.ts';

export type CitizenEvent = 'supplement' | 'chase' | 'satisfied' | 'not_satisfied' | 'withdraw';

export interface NewCase {
  kind: CaseKind;
  text: string;
  request?: string;
  against?: string;
  place?: string;
  district?: string;
  community?: string;
  phone?: string;
  name?: string;
}

export interface CaseTaken { number: string; pin: string; kind: CaseKind; state: CaseState; received_at: string; answer_by: string }

export interface CitizenLine { number: string; kind: CaseKind; state: CaseState; received_at: string; who?: string | null; due?: string | null }

/** `day` is there where it is counted in working days. */
export interface CitizenDue { at: string; day?: string | null; provisional: boolean; late: boolean; why: DayCounted[] }

export interface CitizenCase extends Omit<CitizenLine, 'due'> {
  due?: CitizenDue | null;
  step: string;
  step_en: string;
  open_events: CitizenEvent[];
  asked?: string | null;
  answer?: { text: string; by_unit?: string | null; told_at: string; by?: TellBy | null } | null;
  declined?: { ground: DeclineGround; reason: string } | null;
  statements: { at: string; by: 'citizen' | 'operator' | 'unit' | 'supervisor'; text: string }[];
  chases: number;
  round: number;
  merged_into?: string | null;
}
