import { describe, expect, it, test } from 'vitest';
import { addressOf, askedOf, dayAfter, daysOf, filtersOf, isFiltered, isTooShort, PAGE, type Span } from './filters.ts';

const all = filtersOf(new URLSearchParams());
const asked = (more: Partial<typeof all>) => Object.fromEntries(askedOf({ ...all, ...more }));

it('keeps what is asked for in the address, and reads it there again', () => {
  const filters = { ...all, q: '自来水 煮沸', state: 'active', from: '2026-11-01', mine: true };
  expect(filtersOf(new URLSearchParams(addressOf(filters).split('?')[1]))).toEqual(filters);
  expect(addressOf(all)).toBe('/alerts');
});

it('takes no day from an address that is none', () => expect(filtersOf(new URLSearchParams('from=yesterday&to=2026-11-22')).from).toBe(''));

describe('the platform is asked', () => {
  it('for a page of the newest where nothing is chosen', () => expect(asked({})).toEqual({ limit: String(PAGE) }));
  it('for days of the city, the last included', () =>
    expect(asked({ from: '2026-11-22', to: '2026-11-22' })).toMatchObject({ from: '2026-11-21T16:00:00.000Z', to: '2026-11-22T16:00:00.000Z' }));
  it('for words of two characters and more', () => {
    expect(asked({ q: ' 水  煮沸 C9JG ' })['q']).toBe('煮沸 C9JG');
    expect(asked({ q: '水' })).not.toHaveProperty('q');
  });
  it('for no more of a search than is used', () => expect(asked({ q: '字'.repeat(10_000) })['q']).toHaveLength(200));
  it('with signs that mean nothing elsewhere as they are', () => expect(asked({ q: '50%_*' })['q']).toBe('50%_*'));
  it('for one’s own as their author', () => expect(asked({ mine: true })['author']).toBe('mine'));
  it('for the whole list where it becomes a file', () => expect(Object.fromEntries(askedOf({ ...all, cursor: 'x', state: 'active' }, false))).toEqual({ state: 'active' }));
});

test.each([['', false], ['水', true], ['水 电', true], ['煮沸', false], ['水 煮沸', false]])('%j is too short to look for: %s', (q, short) => expect(isTooShort(q)).toBe(short));

it('knows a list of the newest from one that was narrowed, whatever its page', () => {
  expect(isFiltered({ ...all, cursor: 'x' })).toBe(false);
  expect(isFiltered({ ...all, q: '煮沸' })).toBe(true);
});

test.each<[Span, string, string]>([
  ['today', '2026-03-01', '2026-03-01'],
  ['week', '2026-02-23', '2026-03-01'],
  ['month', '2026-01-31', '2026-03-01'],
  ['year', '2026-01-01', '2026-03-01'],
  ['last_year', '2025-01-01', '2025-12-31'],
])('%s is from %s to %s', (span, from, to) => expect(daysOf(span, '2026-03-01')).toEqual({ from, to }));

it('goes from the last day of a month to the first of the next', () => expect(dayAfter('2026-02-28')).toBe('2026-03-01'));
