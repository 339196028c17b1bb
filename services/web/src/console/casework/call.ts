// A call as an operator takes it down, or a visit, or what a community worker enters for somebody: what is missing, and what is sent. No I/O.
import type { CaseKind } from '../../words/casework.ts';
import type { Role } from '../../words/alert.ts';
import type { CaseChannel, StaffCase } from './contract.ts';

/** The kinds that come by phone, in the order of their keys; what concerns an alert comes from the alert. */
export const callKinds = ['consultation', 'complaint', 'urgent_help', 'psychological', 'problem_report', 'violation_report'] as const satisfies readonly CaseKind[];

export interface Call {
  channel: CaseChannel;
  kind: CaseKind;
  phone: string;
  name: string;
  against: string;
  text: string;
  request: string;
  area: string;
  place: string;
  /** What is told at once; empty where it is registered. */
  answer: string;
}

/** How a case reaches the platform by this role. */
export const channelsOf = (role: Role): CaseChannel[] => (role === 'community_worker' ? ['proxy'] : ['call', 'visit', 'proxy']);

export const blankCall = (role: Role, area = ''): Call => ({ channel: channelsOf(role)[0]!, kind: 'consultation', phone: '', name: '', against: '', text: '', request: '', area, place: '', answer: '' });

/** A phone number that is complete enough to look for: eleven digits of a mobile, or one from elsewhere. */
export const isWhole = (phone: string): boolean => /^1\d{10}$/.test(phone.replace(/\D/g, '').slice(-11)) || /^[+＋]\d{7,15}$/.test(phone.replace(/[\s-]/g, ''));

/** Whether it has to say whom it is about. */
export const isAboutSomebody = (kind: CaseKind): boolean => kind === 'complaint' || kind === 'violation_report';

/** What is still missing: a complaint or a report is about somebody; what is answered at once needs the answer. */
export function missingOf(call: Call, how: 'answer' | 'register'): (keyof Call)[] {
  const needed: (keyof Call)[] = ['text'];
  if (isAboutSomebody(call.kind)) needed.unshift('against');
  if (how === 'answer') needed.push('answer');
  return needed.filter((field) => !call[field].trim());
}

/** The case as the platform takes it. */
export function caseOf(call: Call): StaffCase {
  const area = call.area;
  return {
    channel: call.channel,
    kind: call.kind,
    text: call.text.trim(),
    ...(call.request.trim() && { request: call.request.trim() }),
    ...(call.against.trim() && { against: call.against.trim() }),
    ...(call.place.trim() && { place: call.place.trim() }),
    ...(area.length >= 6 && area !== 'city' && { district: area.slice(0, 6) }),
    ...(area.length === 12 && { community: area }),
    ...(call.phone.trim() && { phone: call.phone.trim() }),
    ...(call.name.trim() && { name: call.name.trim() }),
  };
}
