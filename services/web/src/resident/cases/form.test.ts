import { describe, expect, it, test } from 'vitest';
import { begun, blank, caseOf, faultsOf, fieldOf, fieldsOf, firstFault, isAnonymous, isBegun, isNeeded, isPhone, isWrittenOn, stepOf, stepsOf, type Draft, type Field } from './form.ts';

const sheet = (kind: Draft['kind'], more: Partial<Draft> = {}): Draft => ({ ...blank(kind, 'k'), ...more });
const complaint = sheet('complaint', { against: '某社区卫生服务中心', text: '不给换药', request: '今天换药', area: '500103' });

test('only what a citizen can begin by themselves is a form', () => {
  expect([isBegun('complaint'), isBegun('objection'), isBegun('')]).toEqual([true, false, false]);
});

describe.each(begun)('%s', (kind) => {
  it('is asked in four steps at most, no question twice', () => {
    const fields = stepsOf(kind).flatMap((step) => fieldsOf(kind, step));
    expect(stepsOf(kind).length).toBeLessThanOrEqual(4);
    expect(new Set(fields).size).toBe(fields.length);
  });
  it('asks for everything that it needs, never for a name', () => {
    const asked = stepsOf(kind).flatMap((step) => fieldsOf(kind, step));
    const needed = (['against', 'text', 'request', 'area', 'place', 'phone', 'name'] as Field[]).filter((field) => isNeeded(kind, field));
    expect(needed.every((field) => asked.includes(field))).toBe(true);
    expect(needed).not.toContain('name');
    expect(needed).not.toContain('phone');
  });
});

test('a complaint says whom it is about, what happened, and what is wanted', () => {
  expect(firstFault(sheet('complaint'))).toBe('facts');
  expect(faultsOf(sheet('complaint'), 'facts').map(({ field }) => field)).toEqual(['against', 'text']);
  expect(firstFault({ ...complaint, request: '  ' })).toBe('wish');
  expect(firstFault({ ...complaint, area: '' })).toBe('place');
  expect(firstFault(complaint)).toBeNull();
});

test('a number that nobody could call is told, a missing one is not', () => {
  expect(faultsOf({ ...complaint, phone: '打给我' }, 'contact')).toEqual([{ field: 'phone', why: 'no_phone' }]);
  expect(faultsOf(complaint, 'contact')).toEqual([]);
});

test.each([['13800138000', true], ['138 0013 8000', true], ['023-6377 1234', false], ['+86 138 0013 8000', true], ['+852 5123 4567', true], ['12345', false], ['', false], ['一三八', false]])('%s can be called: %s', (text, can) => expect(isPhone(text)).toBe(can));

test('what was written under another kind is not sent', () => {
  const consultation = sheet('consultation', { text: ' 核酸在哪里做？ ', against: '某医院', request: '快点', area: '500103001001', place: '门口' });
  expect(caseOf(consultation)).toEqual({ kind: 'consultation', text: '核酸在哪里做？', district: '500103', community: '500103001001' });
});

test('a street between district and community is the district alone', () => {
  expect(caseOf({ ...complaint, area: '500103001' })).toMatchObject({ district: '500103' });
  expect(caseOf({ ...complaint, area: '500103001' })).not.toHaveProperty('community');
});

test('somebody signed in is known unless they do not want to be', () => {
  expect(isAnonymous(complaint, true)).toBe(false);
  expect(isAnonymous({ ...complaint, unnamed: true }, true)).toBe(true);
  expect(isAnonymous(complaint, false)).toBe(true);
  expect(isAnonymous({ ...complaint, phone: '13800138000' }, false)).toBe(false);
});

test('an empty sheet is nothing to go on with; a place that was filled in by itself does not count', () => {
  expect(isWrittenOn(blank('complaint', 'k', '500103001001'))).toBe(false);
  expect(isWrittenOn(sheet('complaint', { text: '一' }))).toBe(true);
});

test('a fault of the platform is shown at its question', () => {
  expect([fieldOf('district'), fieldOf('community'), fieldOf('text'), fieldOf('alert_id')]).toEqual(['area', 'area', 'text', null]);
  expect([stepOf('complaint', 'request'), stepOf('consultation', 'request')]).toEqual(['wish', undefined]);
});
