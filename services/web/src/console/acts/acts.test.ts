import { expect, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', href: 'http://fenghuo.test/', origin: 'http://fenghuo.test' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { actWord, districtOf, pageOf, reasonOf } = await import('./acts.ts');

test.each([
  ['session.prove', '再次证明是本人'],
  ['alert_approve', '批准'],
  ['alert_return_city', '退回'],
  ['alert_unheard_of', 'alert_unheard_of'],
  ['alert_take_over_claim', '接手审核'],
  ['something.new', 'something.new'],
])('%s reads %s', (action, word) => expect(actWord(action)).toBe(word));

test.each([
  ['alert', '0198', '/alerts/0198'],
  ['load', '7', '/sources/7'],
  ['resident', '12', null],
  ['audience', '', null],
])('what was done to %s %s lies at %s', (object_kind, object, page) => expect(pageOf({ object_kind, object })).toBe(page));

test('a reason is shown where one was given', () => {
  expect(reasonOf({ detail: { reason: '请写日期' } })).toBe('请写日期');
  expect(reasonOf({ detail: { reason: null } })).toBe('');
});

test('a district has six digits', () => expect([districtOf({ district: 500103 }), districtOf({ district: null })]).toEqual(['500103', null]));
