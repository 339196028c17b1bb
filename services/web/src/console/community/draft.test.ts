import { describe, expect, it } from 'vitest';
import { beijing, blank, fieldOf, keepable, missing, recordOf, type Draft } from './draft.ts';

const draft = (more: Partial<Draft>): Draft => ({ ...blank(Date.parse('2026-11-22T11:05:30Z'), '500103001001'), source_id: 'r-1', ...more });

describe('a report', () => {
  it('is of this moment on the clocks of the city', () => {
    expect(beijing(Date.parse('2026-11-22T20:05:30Z'))).toBe('2026-11-23T04:05');
  });

  it('about water becomes a record of the place', () => {
    const written = draft({ hazard: 'drinking_water', level: 'medium', people: '12', note: ' 水发黄 ' });
    expect(missing(written)).toEqual([]);
    expect(recordOf(written)).toEqual({
      source_id: 'r-1', kind: 'community_report', occurred_at: '2026-11-22T19:05:00+08:00', subject: { place: '500103001001' }, level: 'medium',
      attributes: { hazard: 'drinking_water', people: 12, note: '水发黄' },
    });
  });

  it('about a place to stay away from has to name it', () => {
    expect(missing(draft({ hazard: 'fever_cluster' }))).toEqual(['level', 'place']);
  });

  it('about a person names them and where they are', () => {
    const written = draft({ about: 'person', kind: 'test_result', number: '138 0000 5678', result: 'positive', level: 'high' });
    expect(missing(written)).toEqual([]);
    expect(recordOf(written)).toMatchObject({ subject: { phone: '13800005678' }, community: '500103001001', attributes: { result: 'positive' } });
    expect(recordOf({ ...written, area: '500103' })).toMatchObject({ district: '500103' });
  });

  it('names the document by which a person is known, and who issued a passport', () => {
    const written = draft({ about: 'person', by: 'identity_number', number: 'H1234 5678', identity_kind: 'hong_kong_macao_permit', level: 'high' });
    expect(recordOf(written).subject).toEqual({ identity_number: 'H12345678', identity_kind: 'hong_kong_macao_permit' });
    const passport = draft({ about: 'person', by: 'identity_number', number: 'E12345678', identity_kind: 'passport', level: 'high' });
    expect(missing(passport)).toEqual(['number_country']);
    expect(recordOf({ ...passport, number_country: 'KR' }).subject).toEqual({ identity_number: 'E12345678', identity_kind: 'passport', number_country: 'KR' });
  });

  it('is kept without the number of a person', () => {
    expect(keepable(draft({ number: '13800005678', note: 'x' }))).toMatchObject({ number: '', note: 'x' });
  });

  it.each([['subject.phone', 'number'], ['subject.identity_kind', 'identity_kind'], ['subject.number_country', 'number_country'], ['community', 'area'], ['subject', null], ['subject.place', 'area'], ['attributes.place', 'place'], ['occurred_at', 'when'], ['row', null]])('has a fault of %s at %s', (fault, field) => {
    expect(fieldOf(fault)).toBe(field);
  });
});
