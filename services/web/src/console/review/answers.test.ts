import { describe, expect, it, test } from 'vitest';
import type { AskedItem } from './contract.ts';
import { choices, leadsOn, pressed, reasonOf, refused, restYes, toSend, unanswered, withAnswer, withoutNote, type Answers } from './answers.ts';

const item = (name: AskedItem['item'], may_not_apply = false) => ({ item: name, question: `${name}吗`, question_en: name, may_not_apply });
const items = [item('complete'), item('accurate'), item('districts_informed', true)];
const all = restYes(items, {});
const noted = (answers: Answers, name: string, note: string): Answers => ({ ...answers, [name]: { answer: 'no', note } });

describe('a key', () => {
  it('answers yes, then no, then yes again', () => {
    const [once, twice, thrice] = [1, 2, 3].map((times) => Array.from({ length: times }).reduce<Answers>((answers) => pressed(answers, items[0]!), {}));
    expect([once, twice, thrice].map((answers) => answers!['complete']?.answer)).toEqual(['yes', 'no', 'yes']);
  });
  it('offers "not applicable" only where the item may not apply', () => {
    expect(choices(items[0]!)).not.toContain('not_applicable');
    expect(choices(items[2]!)).toContain('not_applicable');
  });
  it('keeps a note that was written while one goes through the answers', () =>
    expect(pressed(noted({}, 'complete', '缺咨询方式'), items[0]!)['complete']).toEqual({ answer: 'yes', note: '缺咨询方式' }));
});

describe('a step forward', () => {
  test.each<[string, Answers, boolean]>([
    ['with nothing answered', {}, false],
    ['with one left', { complete: all['complete']!, accurate: all['accurate']! }, false],
    ['with everything yes', all, true],
    ['with what does not apply', withAnswer(all, 'districts_informed', 'not_applicable'), true],
    ['with a no', noted(all, 'accurate', '日期不对'), false],
  ])('%s: %#', (_, answers, goes) => expect(leadsOn(items, answers)).toBe(goes));
});

it('names what is left and what was refused', () => {
  const answers = noted({ complete: all['complete']! }, 'accurate', '');
  expect(unanswered(items, answers).map(({ item }) => item)).toEqual(['districts_informed']);
  expect(refused(items, answers).map(({ item }) => item)).toEqual(['accurate']);
});

it.each([['', true], ['   ', true], ['日期不对', false], ['长'.repeat(201), true]])('takes a no with the note %j only if it says something', (note, missing) =>
  expect(withoutNote(items, noted(all, 'accurate', note)).length > 0).toBe(missing));

it('sends notes with a no alone, and nothing that is not complete', () => {
  expect(toSend(items, noted({ ...all, complete: { answer: 'yes', note: '曾写' } }, 'accurate', ' 日期不对 '))).toEqual([
    { item: 'complete', answer: 'yes' }, { item: 'accurate', answer: 'no', note: '日期不对' }, { item: 'districts_informed', answer: 'yes' },
  ]);
  expect(toSend(items, noted({}, 'accurate', ''))).toEqual([]);
});

it('begins the reason of a return with what was wrong', () => expect(reasonOf(items, noted(all, 'accurate', '日期不对'))).toBe('accurate吗：日期不对'));
