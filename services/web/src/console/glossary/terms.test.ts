import { expect, it, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', href: 'http://fenghuo.test/' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { entries, found, termOf } = await import('./terms.ts');

it('explains each word once', () => {
  expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
  expect(new Set(entries.map(({ word }) => word[0])).size).toBe(entries.length);
});

it('says every word and its meaning in both languages', () => {
  for (const { word, meaning } of entries) {
    for (const zh of [word[0], meaning[0]]) expect(zh).toMatch(/\p{Script=Han}/u);
    for (const en of [word[1], meaning[1]]) expect(en).not.toMatch(/\p{Script=Han}/u);
  }
});

it.each([
  ['免打扰', 'quiet_hours'],
  ['QUIET hours', 'quiet_hours'],
  ['  第二人 ', 'second_officer'],
])('finds a word by %s', (typed, name) => expect(found(typed).map((entry) => entry.name)).toContain(name));

it('shows everything where nothing was typed, and nothing where nothing fits', () => {
  expect(found('')).toHaveLength(entries.length);
  expect(found('没有这样的词')).toEqual([]);
});

it('leads from a field to its word', () => expect(termOf('ack_window').word[0]).toBe('确认时限'));
