import { describe, expect, it } from 'vitest';
import { blank, districtOf, ready, withArea } from './audience.ts';

describe('areas', () => {
  it('takes in what it holds', () => expect(withArea(['500103001', '500101'], '500103')).toEqual(['500101', '500103']));
  it('is not added twice or inside another', () => {
    expect(withArea(['500103'], '500103')).toEqual(['500103']);
    expect(withArea(['500103'], '500103001001')).toEqual(['500103']);
  });
  it('leaves the city alone', () => {
    expect(withArea(['500103', '500101001'], 'city')).toEqual(['city']);
    expect(withArea(['city'], '500103')).toEqual(['city']);
  });
});

describe('a query', () => {
  it('is not ready before an area is named', () => {
    expect(ready({ include: [] })).toBeNull();
    expect(ready({ include: [blank()] })).toBeNull();
    expect(ready({ include: [{ industries: ['education'] }] })).toBeNull();
  });
  it('goes without groups that say nothing, since an empty exclusion would exclude everybody', () => {
    const include = [{ ...blank(), areas: ['500103'] }];
    expect(ready({ include: [...include, blank()], exclude: [blank()] })).toEqual({ include, exclude: [] });
  });
  it('belongs to the one district of its areas', () => {
    expect(districtOf({ include: [{ areas: ['500103001', '500103'] }] })).toBe('500103');
    expect(districtOf({ include: [{ areas: ['500103'] }, { areas: ['500101'] }] })).toBeNull();
    expect(districtOf({ include: [{ areas: ['city'] }] })).toBeNull();
  });
});
