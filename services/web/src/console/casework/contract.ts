// What the platform tells staff of cases, and the ways to ask.
import { data, type Schema } from '../../api/client.ts';
import type { paths } from '../../api/schema.d.ts';
import { api } from '../session.svelte.ts';

export type CaseChannel = Schema['CaseChannel'];
export type Nature = Schema['CaseNature'];
export type CaseUrgency = Schema['CaseUrgency'];
export type CaseGrade = Schema['CaseGrade'];
/** What was promised by when. */
export type PromiseKind = Schema['Promise'];
export type CaseEvent = Schema['CaseEvent'];
export type CitizenStep = Extract<CaseEvent, 'supplement' | 'chase' | 'satisfied' | 'not_satisfied' | 'withdraw'>;
export type MachineStep = Extract<CaseEvent, 'time_over' | 'silence' | 'raise'>;
export type StaffEvent = Exclude<CaseEvent, CitizenStep | MachineStep>;

export type Unit = Schema['CaseUnit'];
export type UnitName = Schema['CaseUnitName'];
/** `share` is how much of its time is spent, in per cent: over 100 once it is late. */
export type ClockLine = Schema['ClockLine'];
export type Clock = Schema['CaseClock'];
export type CaseLine = Schema['CaseLine'];
export type CasePage = Schema['CaseList'];
export type Statement = Schema['CaseStatement'];
export type Order = Schema['WorkOrder'];
/** `role` is one of the staff, `citizen` or `platform`; what was said with it stands among the statements. */
export type CaseStep = Schema['CaseStep'];
export type OpenEvent = Schema['OpenCaseEvent'];
export type CaseFile = Schema['CaseFile'];
type Asked = NonNullable<paths['/api/v1/casework/cases']['get']['parameters']['query']>;
export type ListName = NonNullable<Asked['list']>;
/** Which cases are asked for. */
export type Wanted = Asked & { list: ListName };
/** `load_share` is its part of what all units have open, in per cent. */
export type UnitLoad = Schema['CasesOfUnit'];
/** Without a district: nobody said where. */
export type DistrictLoad = Schema['CasesOfDistrict'];
export type Overview = Schema['CaseOverview'];
export type StaffCase = Schema['CaseOfCaller'];
export type StaffTaken = Schema['CaseTaken'];
/** What a step says beside its name. */
export type StepBody = Omit<Schema['CaseStepRequest'], 'version' | 'event'>;
export type NewUnit = Schema['NewUnit'];
export type WorkingDays = Schema['WorkingDays'];

const of = (number: string) => ({ path: { number } });

/** What is left empty is not asked for. */
export function readCases(wanted: Wanted): Promise<CasePage> {
  const query = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== '')) as Wanted;
  return data(api.GET('/api/v1/casework/cases', { params: { query } }));
}
export const readCase = (number: string): Promise<CaseFile> => data(api.GET('/api/v1/casework/cases/{number}', { params: of(number) }));
export const takeStep = (number: string, version: number, event: StaffEvent, body: StepBody = {}): Promise<CaseFile> =>
  data(api.POST('/api/v1/casework/cases/{number}/steps', { params: of(number), body: { version, event, ...body } }));
export const openPhone = (number: string, purpose: string) => data(api.POST('/api/v1/casework/cases/{number}/phone', { params: of(number), body: { purpose } }));
export const readCaller = (phone: string) => data(api.POST('/api/v1/casework/callers', { body: { phone } }));
export const readOverview = (): Promise<Overview> => data(api.GET('/api/v1/casework/overview'));
export const countDays = (from: string, working_days: number): Promise<WorkingDays> => data(api.GET('/api/v1/casework/calendar', { params: { query: { from, working_days } } }));
export const readUnits = (): Promise<Unit[]> => data(api.GET('/api/v1/casework/units'));
export const makeUnit = (unit: NewUnit) => data(api.POST('/api/v1/casework/units', { body: unit }));
export const enterCase = (key: string, body: StaffCase): Promise<StaffTaken> => data(api.POST('/api/v1/casework/cases', { params: { header: { 'Idempotency-Key': key } }, body }));
