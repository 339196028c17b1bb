// What the platform tells somebody of what stands against them.
// TO GO: these shapes stand here until the platform's own description has them; then each is `Schema['…']` of the same name.
import type { Evidence, How, InTongues, Lifter, LiftedBy } from '../../words/standing.ts';

export interface Objection { feedback_id: number; said_at: string; answer_by: string; answer: string | null; answered_at: string | null }

export interface MyStanding {
  standing_id: number;
  alert_id: string;
  headline: string;
  reason: string;
  label: InTongues;
  measure: InTongues;
  state: 'stands' | 'lifted';
  lifted: { how: How; at: string } | null;
  opened_at: string;
  since: string | null;
  until: string | null;
  evidence: Evidence[];
  lifted_by: LiftedBy | null;
  who: Lifter[];
  contact: string;
  objection: Objection | null;
  may_object: boolean;
}

export interface StandingQuestion { asked_at: string; unit: string; purpose: string; label: InTongues; stood: boolean }
export interface ObjectionTaken { feedback_id: number; answer_by: string }
