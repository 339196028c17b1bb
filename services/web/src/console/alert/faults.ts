// What is wrong with a text, at the field it is wrong in: from an alert's automatic checks, or from a refusal of the platform.
import type { Problem, Schema } from '../../api/client.ts';
import { say } from '../../words/say.svelte.ts';

/** One fault; `field` is a path in the content: `texts.zh-CN.headline`, `contact`. */
export interface Fault { field: string; zh: string; en: string }

const english: Record<Schema['FaultKind'], string> = {
  missing: 'Fill this in.',
  too_long: 'This is too long.',
  invalid: 'This is not a permitted value.',
  unfilled: 'A variable of the template was not filled in.',
  personal_data: 'This contains personal data; take it out.',
  never_sent: 'It would be over before the quiet hours are, and nobody would receive it: extend its validity, or make it urgent.',
  too_many_parts: 'With signature, contact and how to reply, the SMS takes more than eight parts: shorten it.',
};

/** The faults that the platform found in a stored draft. */
export function faultsOfContent(found: readonly Schema['ContentFault'][]): Fault[] {
  return found.map((fault) => ({ field: fault.field, zh: fault.message, en: english[fault.kind] }));
}

/** The faults that a refusal names. */
export function faultsOfProblem(problem: Problem | null): Fault[] {
  return (problem?.fields ?? []).map((fault) => ({ field: fault.field.replace(/^content\./, ''), zh: fault.reason, en: fault.reason_en }));
}

/** What is wrong with one field, for the reader. */
export function faultAt(faults: readonly Fault[], field: string): string | undefined {
  const here = faults.filter((fault) => fault.field === field);
  return here.length ? here.map((fault) => say(fault.zh, fault.en)).join(' ') : undefined;
}
