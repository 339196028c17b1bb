// A case as somebody writes it on a phone: what a kind is asked, in which order, what is still missing, what is sent. No I/O.
import type { CaseKind } from '../../words/casework.ts';
import type { NewCase } from './contract.ts';

/** What a citizen can begin by themselves; feedback and objections begin at the alert that they are about. */
export const begun = ['urgent_help', 'consultation', 'complaint', 'psychological', 'problem_report', 'violation_report'] as const satisfies readonly CaseKind[];
export type BegunKind = (typeof begun)[number];
export const isBegun = (kind: string): kind is BegunKind => (begun as readonly string[]).includes(kind);

/** A sheet with one answer to each question; empty where it was not answered. */
export interface Draft {
  kind: BegunKind;
  /** The sender's own name of it: what is sent twice is one case. */
  key: string;
  /** Whom it is about: a unit, a shop, a post. */
  against: string;
  text: string;
  /** What outcome is wanted. */
  request: string;
  /** Code of an area, and the place in it in words. */
  area: string;
  place: string;
  phone: string;
  name: string;
  /** Somebody signed in does not want to be known as who wrote it. */
  unnamed: boolean;
}

/** A question of the sheet. */
export type Field = 'against' | 'text' | 'request' | 'area' | 'place' | 'phone' | 'name';
export type Step = 'facts' | 'wish' | 'place' | 'contact';

/** So many characters the platform takes. */
export const LIMITS = { against: 200, text: 5000, request: 1000, place: 200, name: 50 } as const;

/** What is asked in which step; nobody is asked more than their matter needs. */
const questions: Record<BegunKind, readonly [Step, readonly Field[]][]> = {
  urgent_help: [['facts', ['text']], ['place', ['area', 'place']], ['contact', ['phone', 'name']]],
  consultation: [['facts', ['text']], ['place', ['area']], ['contact', ['phone', 'name']]],
  complaint: [['facts', ['against', 'text']], ['wish', ['request']], ['place', ['area', 'place']], ['contact', ['phone', 'name']]],
  psychological: [['facts', ['text']], ['contact', ['phone', 'name']]],
  problem_report: [['facts', ['text']], ['wish', ['request']], ['place', ['area', 'place']], ['contact', ['phone', 'name']]],
  violation_report: [['facts', ['against', 'text']], ['wish', ['request']], ['place', ['area', 'place']], ['contact', ['phone', 'name']]],
};

/** What cannot be left out: help needs a place, a complaint somebody whom it is about and an outcome; nobody has to give a name or a number. */
const needed: Record<BegunKind, readonly Field[]> = {
  urgent_help: ['text', 'area'],
  consultation: ['text'],
  complaint: ['against', 'text', 'request', 'area'],
  psychological: ['text'],
  problem_report: ['text', 'area'],
  violation_report: ['against', 'text', 'area'],
};

export const stepsOf = (kind: BegunKind): Step[] => questions[kind].map(([step]) => step);
export const fieldsOf = (kind: BegunKind, step: Step): readonly Field[] => questions[kind].find(([one]) => one === step)?.[1] ?? [];
export const isNeeded = (kind: BegunKind, field: Field): boolean => needed[kind].includes(field);
/** Where a question is asked. */
export const stepOf = (kind: BegunKind, field: Field): Step | undefined => questions[kind].find(([, fields]) => fields.includes(field))?.[0];

/** A mobile number as the platform takes it: of eleven digits, or of elsewhere with + and its country's code. */
export const isPhone = (text: string): boolean => /^(\+?86)?[\s-]*1(?:[\s-]*\d){10}$/.test(text.trim()) || /^([+＋]|00)[\d\s().-]{7,22}$/.test(text.trim());

/** An empty sheet. */
export function blank(kind: BegunKind, key: string, area = ''): Draft {
  return { kind, key, against: '', text: '', request: '', area, place: '', phone: '', name: '', unnamed: false };
}

/** What is wrong with a step: missing, or no number that anybody could call. */
export function faultsOf(draft: Draft, step: Step): { field: Field; why: 'missing' | 'no_phone' }[] {
  return fieldsOf(draft.kind, step).flatMap((field): ReturnType<typeof faultsOf> => {
    const said = draft[field].trim();
    if (!said) return isNeeded(draft.kind, field) ? [{ field, why: 'missing' }] : [];
    return field === 'phone' && !isPhone(said) ? [{ field, why: 'no_phone' }] : [];
  });
}

/** The first step that something is wrong with; null when it can be sent. */
export const firstFault = (draft: Draft): Step | null => stepsOf(draft.kind).find((step) => faultsOf(draft, step).length > 0) ?? null;

/** Whether anything was written: an empty sheet is nothing to go on with. */
export const isWrittenOn = (draft: Draft): boolean => [draft.against, draft.text, draft.request, draft.place].some((said) => said.trim() !== '');

/** Whether nobody could be asked back: it is taken all the same. `known`: who wrote it is signed in. */
export const isAnonymous = (draft: Draft, known: boolean): boolean => (!known || draft.unnamed) && !draft.phone.trim() && !draft.name.trim();

/** The case as the platform takes it: answers to questions that this kind is not asked stay out. */
export function caseOf(draft: Draft): NewCase {
  const asked = new Set(stepsOf(draft.kind).flatMap((step) => fieldsOf(draft.kind, step)));
  const said = (field: Field) => (asked.has(field) ? draft[field].trim() : '');
  const area = said('area');
  return {
    kind: draft.kind,
    text: said('text'),
    ...(said('request') && { request: said('request') }),
    ...(said('against') && { against: said('against') }),
    ...(said('place') && { place: said('place') }),
    ...(area.length >= 6 && { district: area.slice(0, 6) }),
    ...(area.length === 12 && { community: area }),
    ...(said('phone') && { phone: said('phone') }),
    ...(said('name') && { name: said('name') }),
  };
}

/** The question that a fault of the case is about. */
export function fieldOf(fault: string): Field | null {
  if (fault === 'district' || fault === 'community') return 'area';
  return (['against', 'text', 'request', 'place', 'phone', 'name'] as const).find((field) => field === fault) ?? null;
}
