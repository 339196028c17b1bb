// Other alerts that ask something of the same people, as the platform finds them.
// TO GO: from the interface's types: each shape is `Schema['…']` once the platform's own description has it:
// Conflict is AlertConflict, ConflictPage AlertConflicts, Asked DemandNote, Drafted BeingWritten.
import type { Schema } from '../../api/client.ts';
import type { Role, State } from '../../words/alert.ts';
import { ask, type AlertContent } from '../alert/contract.ts';

export type ConflictKind = 'contradicts' | 'doubles' | 'overlaps';
export type Measure = 'stay_in' | 'leave' | 'isolate' | 'test' | 'boil_water' | 'keep_away';
/** A measure that an alert asks for; not `taken` where it lifts it, or says that it is not to be taken. */
export interface Asked { measure: Measure; taken: boolean }
/** How this alert's area lies to the other's. */
export type Overlap = 'same' | 'contains' | 'within' | 'partly' | 'people';

export interface Conflict {
  kind: ConflictKind;
  must_be_confirmed: boolean;
  sentence: string;
  sentence_en: string;
  measures: Asked[];
  other_measures: Asked[];
  overlap: Overlap;
  areas: string[];
  /** Null where the other is a draft that the reader may not see. */
  alert_id: string | null;
  short_code: string | null;
  headline: string | null;
  state: State;
  class: Schema['DeliveryClass'];
  district: string | null;
  sent_at: string | null;
  changed_at: string;
  by: { role: Role | null; scope: string | null; name: string | null };
}
export interface ConflictPage { conflicts: Conflict[]; more: boolean }
/** A draft as it is being written. */
export interface Drafted { alert_id?: string; district?: string | null; content: AlertContent; audience?: { query: Schema['AudienceQuery'] } }

export const readConflicts = (alert: string) => ask<ConflictPage>(`/api/v1/alerts/${alert}/conflicts`);
export const conflictsOf = (draft: Drafted) => ask<ConflictPage>('/api/v1/alerts/conflicts', draft);
