// What the platform tells staff of cases, and the ways to ask.
// TO GO: from the interface's types: each of these is `Schema['…']` of the same name, and the ways are typed by their paths.
import { data } from '../../api/client.ts';
import type { CaseKind, CaseState, DayCounted, TellBy } from '../../words/casework.ts';
import { ask } from '../alert/contract.ts';
import { api } from '../session.svelte.ts';

export type CaseChannel = 'web' | 'app' | 'call' | 'visit' | 'proxy';
export type Nature = 'consultation' | 'complaint' | 'request_for_help' | 'suggestion' | 'report' | 'objection' | 'commendation' | 'other';
export type CaseUrgency = 'ordinary' | 'urgent' | 'top';
export type CaseGrade = 'simple' | 'complex' | 'major';
/** What was promised by when. */
export type PromiseKind = 'take' | 'first_check' | 'order' | 'begin' | 'progress' | 'finish' | 'review' | 'reroute' | 'dispute' | 'citizen' | 'tell' | 'call_back' | 'silence';
export type StaffEvent =
  | 'answer_at_once' | 'register' | 'confirm_registration' | 'correct_registration' | 'decline' | 'accept' | 'route' | 'sign_for' | 'refuse_competence' | 'decide_dispute'
  | 'report_progress' | 'ask_citizen' | 'finish_assist' | 'ask_extension' | 'grant_extension' | 'refuse_extension' | 'regrade' | 'submit_result' | 'decide' | 'send_back'
  | 'tell' | 'call_back' | 'propose_merge' | 'merge';
export type CitizenStep = 'supplement' | 'chase' | 'satisfied' | 'not_satisfied' | 'withdraw';
export type MachineStep = 'received' | 'time_over' | 'silence' | 'raise';

export interface Unit { unit_id: number; name: string; name_en?: string | null; level: 'city' | 'district' | 'township' | 'community'; parent?: number | null; district?: string | null; community?: string | null; liaison: string; phone?: string | null }
export type UnitName = Pick<Unit, 'unit_id' | 'name'>;

/** `share` is how much of its time is spent, in per cent: over 100 once it is late. */
export interface ClockLine { promise: PromiseKind; started_at: string; due_at: string; due_day?: string | null; provisional: boolean; share: number; late: boolean; warning: 0 | 50 | 80 | 100 }
export interface Clock extends ClockLine {
  stopped_at?: string | null;
  met?: boolean | null;
  paused: boolean;
  paused_days: number;
  extended_days: number;
  changes: { at: string; why: 'pause' | 'extension' | 'regrade' | 'notice'; from: string; to: string }[];
  why: DayCounted[];
}

export interface CaseLine {
  number: string;
  kind: CaseKind;
  channel: CaseChannel;
  state: CaseState;
  urgency?: CaseUrgency | null;
  grade?: CaseGrade | null;
  district?: string | null;
  lead?: UnitName | null;
  received_at: string;
  due?: ClockLine | null;
  chases: number;
  raised: boolean;
  round: number;
  version: number;
  summary: string;
  anonymous: boolean;
}
export interface CasePage { cases: CaseLine[]; next?: string | null }

export interface Statement { statement_id: number; at: string; by: 'citizen' | 'operator' | 'unit' | 'supervisor'; name?: string | null; unit?: number | null; text: string; visible: boolean }
export interface Order {
  order_id: number;
  unit: UnitName;
  part: 'lead' | 'assist';
  round: number;
  liaison: string;
  task?: string | null;
  made_at: string;
  signed_at?: string | null;
  done_at?: string | null;
  ended_at?: string | null;
  refused?: { ground: string; proposal?: UnitName | null } | null;
  progress_at?: string | null;
  binding: boolean;
}
/** `role` is one of the staff, `citizen` or `platform`; what was said with it stands among the statements. */
export interface CaseStep { n: number; at: string; event: StaffEvent | CitizenStep | MachineStep; who?: string | null; role: string; unit?: number | null; from: CaseState; to: CaseState; statement_id?: number | null }
export interface OpenEvent { event: StaffEvent; allowed: boolean; refusal?: { code: string; detail: string; detail_en: string } | null }

export interface CaseFile extends CaseLine {
  text: string;
  request?: string | null;
  against?: string | null;
  place?: string | null;
  community?: string | null;
  alert_id?: string | null;
  caller?: { name?: string | null; phone?: string | null } | null;
  nature?: Nature | null;
  statements: Statement[];
  orders: Order[];
  clocks: Clock[];
  steps: CaseStep[];
  extension?: { working_days: number; reason: string; asked_at: string } | null;
  merge?: { into: string; reason: string } | null;
  answer?: { text: string; decided: boolean; told_at?: string | null; by?: TellBy | null } | null;
  result?: string | null;
  links: { kind: 'merged_into' | 'merged_from'; number: string }[];
  open_events: OpenEvent[];
}

export type ListName = 'desk' | 'check' | 'callback' | 'inbox' | 'decide' | 'late' | 'endangered' | 'disputes' | 'chased' | 'extensions' | 'merges' | 'all';

/** `load_share` is its part of what all units have open, in per cent. */
export interface UnitLoad { unit_id: number; name: string; open: number; late: number; endangered: number; refused: number; load_share: number }
/** Without a district: nobody said where. */
export interface DistrictLoad { district?: string | null; open: number; late: number; endangered: number }
export interface Overview {
  open: number;
  late: number;
  endangered: number;
  disputes: number;
  chased: number;
  extensions: number;
  urgent_waiting_s?: number | null;
  districts: DistrictLoad[];
  units: UnitLoad[];
  oldest: CaseLine[];
}

export interface StaffCase {
  channel: CaseChannel;
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
export interface StaffTaken { number: string; pin: string; kind: CaseKind; state: CaseState; received_at: string; answer_by: string; version: number }
/** What a step says beside its name. */
export type StepBody = Record<string, unknown>;

const withHeaders = api as unknown as { POST: (path: string, init: { body: unknown; headers: Record<string, string> }) => Promise<{ data?: unknown }> };
const fileAt = (number: string) => `/api/v1/casework/cases/${encodeURIComponent(number)}`;

export interface Wanted { list: ListName; district?: string; unit?: number; state?: string; kind?: string; after?: string | null; limit?: number }

export function readCases(wanted: Wanted): Promise<CasePage> {
  const said = Object.entries(wanted).flatMap(([name, value]): [string, string][] => (value === undefined || value === null || value === '' ? [] : [[name, String(value)]]));
  return ask(`/api/v1/casework/cases?${new URLSearchParams(said)}`);
}
export const readCase = (number: string) => ask<CaseFile>(fileAt(number));
export const takeStep = (number: string, version: number, event: StaffEvent, body: StepBody = {}) => ask<CaseFile>(`${fileAt(number)}/steps`, { version, event, ...body });
export const openPhone = (number: string, purpose: string) => ask<{ phone: string; name?: string | null }>(`${fileAt(number)}/phone`, { purpose });
export const readCaller = (phone: string) => ask<{ cases: CaseLine[] }>('/api/v1/casework/callers', { phone });
export const readOverview = () => ask<Overview>('/api/v1/casework/overview');
export interface WorkingDays { due: string; provisional: boolean; days: DayCounted[] }
export const countDays = (from: string, working_days: string) => ask<WorkingDays>(`/api/v1/casework/calendar?${new URLSearchParams({ from, working_days })}`);
export const readUnits = () => ask<Unit[]>('/api/v1/casework/units');
export type NewUnit = Omit<Unit, 'unit_id'>;
export const makeUnit = (unit: NewUnit) => ask<{ unit_id: number }>('/api/v1/casework/units', unit);
export const enterCase = async (key: string, body: StaffCase): Promise<StaffTaken> =>
  (await data(withHeaders.POST('/api/v1/casework/cases', { body, headers: { 'idempotency-key': key } }))) as StaffTaken;
