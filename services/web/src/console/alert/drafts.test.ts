import { expect, it } from 'vitest';
import { begun, sent } from './drafts.ts';

const noon = Date.parse('2026-11-22T04:10:00Z');

it('begins as a routine alert for a day, for the own district', () => {
  const { content, query } = begun(noon, '500103');
  expect(content.expires_at).toBe('2026-11-23T05:00:00.000Z');
  expect(query.include[0]!.areas).toEqual(['500103']);
  expect(begun(noon, '').query.include[0]!.areas).toEqual([]);
});

it('is sent without a language in which nothing was written', () => {
  const { content } = begun(noon, '');
  expect(Object.keys(sent(content).texts)).toEqual(['zh-CN']);
  content.texts['en']!.headline = 'Boil your water';
  expect(Object.keys(sent(content).texts)).toEqual(['zh-CN', 'en']);
});

it('is sent without a place that has neither name nor area', () => {
  const { content } = begun(noon, '');
  expect(sent({ ...content, place: { name: ' ', area: '' } }).place).toBeNull();
  expect(sent({ ...content, place: { name: '渝州宾馆', area: '500103' } }).place?.name).toBe('渝州宾馆');
});
