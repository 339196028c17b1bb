// The whole story of an alert, as the platform tells it: one list in the order of time, each entry of its kind.
// TO GO: from the interface's types: each shape is `Schema['…']` once the platform's own description has it:
// StoryPage is AlertStory, Person Colleague, StoryEntry by its name.
import type { Schema } from '../../api/client.ts';
import type { PublicReason, Role, State } from '../../words/alert.ts';
import { ask } from '../alert/contract.ts';
import type { KeptAnswer } from '../review/contract.ts';
import type { ApprovalSeal } from '../seal/contract.ts';

export interface Person { id: string; name: string | null; role: Role | null; scope: string | null }

export type Told =
  | { kind: 'record'; record_no: number; record_kind: string | null; source: string; area: string; /** About a place, else about a person. */ place: boolean; occurred_at: string; ended_at: string | null }
  | { kind: 'step'; version: number; action: string; from: string; to: string; by: Person | null; reason: string | null; public_reason: PublicReason | null; passage: Schema['Passage'] | null; checked: string[]; answers?: KeptAnswer[]; content_changed: boolean }
  | { kind: 'sealed'; seal: ApprovalSeal }
  | { kind: 'word'; retraction_id: string; what: Schema['RetractionKind']; progress: 'asked' | 'confirmed' | 'refused' | 'taken_back' | 'overtaken' | 'expired'; by: Person | null; reason: string | null; texts: Record<string, Schema['AlertText']> }
  | { kind: 'released' }
  | { kind: 'wave'; wave: number; event: 'began' | 'planned' | 'done'; people: number; no_channel: number }
  | { kind: 'handed'; wave: number; channel: 'app' | 'sms'; handed_over: number; unreachable: number; withdrawn: number; open: number; first_at: string | null }
  | { kind: 'unlike_approved'; part: 'text' | 'audience' | 'terms' | 'people'; language: Schema['Language'] | null; channel: string | null; approved: string; found: string }
  | { kind: 'went_on'; by: Person; planned: string; reason: string | null }
  | { kind: 'screens'; screens: number; plays: number; last_at: string | null }
  | { kind: 'acknowledged'; people: number }
  | { kind: 'follow_ups'; outcome: string; people: number }
  | { kind: 'withdrawn_for'; people: number }
  | { kind: 'feedback'; kind_of: string; count: number }
  | { kind: 'corrected_by'; alert_id: string; headline: string; state: State }
  | { kind: 'ended'; how: string };

export type StoryEntry = { at: string } & Told;

export interface StoryPage {
  alert: { alert_id: string; short_code: string; headline: string; state: State; class: Schema['DeliveryClass']; district: string | null; approved_at: string | null; corrects: string | null; rule_id: string | null; rule_version: number | null; records: number; created_at: string };
  entries: StoryEntry[];
  next: string | null;
}

export const readStory = (alert: string, cursor: string | null) => ask<StoryPage>(`/api/v1/alerts/${alert}/story?${new URLSearchParams({ limit: '500', ...(cursor ? { cursor } : {}) })}`);
