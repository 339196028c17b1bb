import { expect, it, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', href: 'http://fenghuo.test/' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { contradictionOf, counted, measureWord } = await import('./conflicts.ts');

const against = { must_be_confirmed: true, sentence: '一条要求留在家中，另一条要求撤离。', sentence_en: 'One says stay in, the other leave.', headline: '撤离' };
const near = { ...against, must_be_confirmed: false };

it('asks for nothing where nothing contradicts', () => expect(contradictionOf([near])).toBe(''));
it('says what contradicts, and how many more do', () => {
  expect(contradictionOf([near, against])).toBe('一条要求留在家中，另一条要求撤离。');
  expect(contradictionOf([against, against, near])).toBe('一条要求留在家中，另一条要求撤离。另有 1 条也相反。');
});
it('tells a measure from one that is lifted', () => {
  expect(measureWord({ measure: 'leave', taken: true })).toBe('撤离');
  expect(measureWord({ measure: 'leave', taken: false })).toBe('不再要求：撤离');
});
it('counts by kind', () => expect(counted([{ kind: 'contradicts' }, { kind: 'overlaps' }, { kind: 'overlaps' }])).toEqual({ contradicts: 1, doubles: 0, overlaps: 2 }));
