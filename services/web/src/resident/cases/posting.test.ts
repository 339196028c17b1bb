import { expect, test } from 'vitest';
import { blank } from './form.ts';
import { added, outliving, refusalOf, settled, toSend, type Posted } from './posting.ts';

const DAY = 86_400_000;
const one = (key: string, by: number | null, at = 0): Posted => ({ key, by, at, draft: blank('consultation', key) });
const no = { zh: '太长', en: 'too long' };

test('a case is on its way once, however often it is handed in', () => {
  expect(added([one('a', 7)], one('a', 7, 5)).map(({ at }) => at)).toEqual([5]);
  expect(added([one('a', 7)], one('b', 7))).toHaveLength(2);
});

test('everybody sends their own, oldest first; what was refused waits for its writer', () => {
  const all = [one('late', 7, 20), one('early', 7, 10), one('nobody', null), one('other', 8), { ...one('refused', 7), refused: no }];
  expect(toSend(all, 7, DAY).map(({ key }) => key)).toEqual(['early', 'late']);
  expect(toSend(all, null, DAY).map(({ key }) => key)).toEqual(['nobody']);
});

test('what the platform puts off is not asked for before its time', () => {
  const put = settled([one('a', 7)], 'a', 'later', no, 5000);
  expect([toSend(put, 7, 4999).length, toSend(put, 7, 5000).length]).toEqual([0, 1]);
});

test('what nobody came back for is not sent after a month', () => expect(toSend([one('old', null)], null, 32 * DAY)).toEqual([]));

test('what is taken is away, what is refused stays with its reason, what could not go stays', () => {
  const all = [one('a', 7), one('b', 7)];
  expect(settled(all, 'a', 'taken', no).map(({ key }) => key)).toEqual(['b']);
  expect(settled(all, 'a', 'refused', no)[0]!.refused).toEqual(no);
  expect(settled(all, 'a', 'refused', null)[0]!.refused).toBeDefined();
  expect(settled(all, 'a', 'later', null)).toEqual(all);
  expect(toSend(settled(all, 'a', 'later', no), 7, DAY).map(({ key, later }) => [key, later])).toEqual([['a', no], ['b', undefined]]);
});

test('whoever signs out takes theirs from the device, and leaves what others wrote', () => {
  const given = { key: 'g', by: 7, at: 0, kind: 'consultation' as const, number: '261128-4071-3392-6', pin: '384201', answer_by: '' };
  const what = { posted: [one('mine', 7), one('nobody', null), one('other', 8)], given: [given], written: { by: 7, at: 0, draft: blank('complaint', 'k') } };
  const left = outliving(what, (by) => by !== 7);
  expect((left['cases_posted'] as Posted[]).map(({ key }) => key)).toEqual(['nobody', 'other']);
  expect(left['cases_given']).toEqual([]);
  expect(left).not.toHaveProperty('case_written');
  expect(outliving(what, () => true)).toMatchObject({ cases_given: [given], case_written: what.written });
});

test('a refusal names what is wrong', () => {
  expect(refusalOf({ detail: '有 1 项填写有误。', detail_en: '1 field is wrong.', errors: [{ reason: '不是手机号码', reason_en: 'no mobile number' }] })).toEqual({ zh: '有 1 项填写有误。 不是手机号码', en: '1 field is wrong. no mobile number' });
  expect(refusalOf(null)).toBeNull();
});
