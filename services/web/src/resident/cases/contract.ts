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

export interface CitizenDue { at: string; day: string; provisional: boolean; late: boolean; why: DayCounted[] }

export interface CitizenLine { number: string; kind: CaseKind; state: CaseState; received_at: string; who?: string | null; due?: CitizenDue | null }

export interface CitizenCase extends CitizenLine {
  step: string;
  step_en: string;
  open_events: CitizenEvent[];
  asked?: string | null;
  answer?: { text: string; by_unit?: string | null; told_at: string; by: TellBy } | null;
  declined?: { ground: DeclineGround; reason: string; where_to?: string | null } | null;
  statements: { at: string; by: 'citizen' | 'operator' | 'unit'; text: string }[];
  chases: number;
  round: number;
  merged_into?: string | null;
}
