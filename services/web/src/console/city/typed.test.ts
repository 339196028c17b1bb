import { describe, expect, it } from 'vitest';
import { blanks, filled, templates } from './templates.ts';
import { asked, matches } from './typed.ts';

describe('a typed confirmation', () => {
  it.each([['32054', true], ['32,054', true], ['32 054', true], ['３２０５４', true], ['32，054', true], ['3205', false], ['320540', false], ['', false], ['演练32054', false], ['好', false]])(
    'of the real thing: %s → %s', (typed, expected) => expect(matches(typed, 32054, false)).toBe(expected));
  it.each([['演练120', true], ['演练 120', true], ['exercise 120', true], ['EXERCISE120', true], ['120', false], ['演习120', false]])(
    'of an exercise: %s → %s', (typed, expected) => expect(matches(typed, 120, true)).toBe(expected));
  it('of fewer than ten takes 10, and never nothing', () => expect(['10', '9', '0', ''].map((typed) => matches(typed, 9, false))).toEqual([true, false, false, false]));
  it('of people whom nobody could count takes the word, and no number', () => {
    expect(['实际', 'live', '演练', '88', ''].map((typed) => matches(typed, null, false))).toEqual([true, true, false, false, false]);
    expect(['演练', 'Exercise', '实际', '演练88'].map((typed) => matches(typed, null, true))).toEqual([true, true, false, false]);
  });
  it('asks for what it takes', () => {
    for (const people of [88, null]) for (const exercise of [true, false]) for (const english of [true, false]) expect(matches(asked(people, exercise, english), people, exercise)).toBe(true);
  });
});

describe('a template', () => {
  const limits = { 'zh-CN': { headline: 40, body: 600, instruction: 300, sms: 200 }, en: { headline: 100, body: 1500, instruction: 750, sms: 450 } };
  it.each(templates.map((template) => [template.id, template] as const))('%s keeps the lengths and asks the same in both languages', (_, { texts }) => {
    expect(blanks(texts, 'en').sort()).toEqual(blanks(texts, 'zh-CN').sort());
    for (const language of ['zh-CN', 'en'] as const) {
      const text = texts[language];
      for (const field of ['headline', 'body', 'instruction', 'sms'] as const) expect([...(text?.[field] ?? '')].length).toBeLessThanOrEqual(limits[language][field]);
    }
  });
  it('is filled one language at a time, and what is left out stays a blank', () => {
    const template = templates.find(({ id }) => id === 'avoid_place')!;
    const once = filled(template.texts, 'zh-CN', { place: '渝州市场', since: ' ' });
    expect(once['zh-CN']?.headline).toBe('请暂时不要前往渝州市场');
    expect(blanks(once, 'zh-CN')).toEqual(['since']);
    expect(blanks(once, 'en')).toEqual(['place', 'since']);
  });
});
