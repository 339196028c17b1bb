// The checklist as it is answered: item by item, a no with a note, and what follows from the answers for the step. That a step may be taken the platform decides;
// this says it before it is tried.
import type { Answer, AskedItem, GivenAnswer } from './contract.ts';

export interface Answered { answer: Answer; note: string }
/** What was answered so far, by item. */
export type Answers = Readonly<Record<string, Answered>>;

/** So many characters a note may have. */
export const NOTE = 200;

/** The answers that an item may be given, in the order in which a key goes through them. */
export function choices(item: Pick<AskedItem, 'may_not_apply'>): Answer[] {
  return item.may_not_apply ? ['yes', 'no', 'not_applicable'] : ['yes', 'no'];
}

/** The answers with one more; a note once written stays while one goes through the answers. */
export function withAnswer(answers: Answers, item: string, answer: Answer): Answers {
  return { ...answers, [item]: { answer, note: answers[item]?.note ?? '' } };
}

/** What a press of the item's key makes of it: yes at first, then the next answer. */
export function pressed(answers: Answers, item: AskedItem): Answers {
  const all = choices(item);
  const now = answers[item.item]?.answer;
  return withAnswer(answers, item.item, now ? all[(all.indexOf(now) + 1) % all.length]! : 'yes');
}

/** Everything that is not answered yet is a yes. */
export function restYes(items: readonly AskedItem[], answers: Answers): Answers {
  return items.reduce((all, { item }) => (all[item] ? all : withAnswer(all, item, 'yes')), answers);
}

/** What nobody has answered yet. */
export function unanswered(items: readonly AskedItem[], answers: Answers): AskedItem[] {
  return items.filter(({ item }) => !answers[item]);
}

/** What was answered with no: then it only goes back. */
export function refused(items: readonly AskedItem[], answers: Answers): AskedItem[] {
  return items.filter(({ item }) => answers[item]?.answer === 'no');
}

/** Each no whose note is missing or too long. */
export function withoutNote(items: readonly AskedItem[], answers: Answers): AskedItem[] {
  return refused(items, answers).filter(({ item }) => {
    const note = answers[item]!.note.trim();
    return note.length === 0 || [...note].length > NOTE;
  });
}

/** Whether the step forward may be taken with these answers. */
export function leadsOn(items: readonly AskedItem[], answers: Answers): boolean {
  return unanswered(items, answers).length === 0 && refused(items, answers).length === 0;
}

/** The answers as they are sent: in the order of the items, a note only with a no. What has no note yet is left out of a step back, where no answer is needed. */
export function toSend(items: readonly AskedItem[], answers: Answers): GivenAnswer[] {
  const bare = new Set(withoutNote(items, answers).map(({ item }) => item));
  return items.flatMap(({ item }) => {
    const given = answers[item];
    if (!given || bare.has(item)) return [];
    return [given.answer === 'no' ? { item, answer: given.answer, note: given.note.trim() } : { item, answer: given.answer }];
  });
}

/** What a return can begin with: the notes of what was answered with no, in Chinese, as its author reads them. */
export function reasonOf(items: readonly AskedItem[], answers: Answers): string {
  return refused(items, answers).flatMap(({ item, question }) => (answers[item]!.note.trim() ? [`${question}：${answers[item]!.note.trim()}`] : [])).join('\n');
}
