import { expect, it, test, vi } from 'vitest';
import { MOST, read, withView, without } from './views.ts';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', href: 'http://fenghuo.test/' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { read: readColumns, toggled, usual } = await import('./columns.ts');

const one = { name: '渝中待审', address: '/alerts?state=district_review' };

it('keeps a view without the page one was on, and one of a name', () => {
  const views = withView([], ' 渝中待审 ', '/alerts?state=district_review&cursor=abc');
  expect(views).toEqual([one]);
  expect(withView(views, '渝中待审', '/alerts')).toEqual([{ name: '渝中待审', address: '/alerts' }]);
  expect(without(views, '渝中待审')).toEqual([]);
});

it('keeps nothing without a name, and no more than so many', () => {
  expect(withView([one], '  ', '/alerts')).toEqual([one]);
  const many = Array.from({ length: MOST }, (_, at) => ({ name: String(at), address: '/alerts' }));
  expect(withView(many, '再一个', '/alerts')).toHaveLength(MOST);
});

test.each([
  [null, 0],
  ['no json', 0],
  ['{"a":1}', 0],
  [JSON.stringify([one, { name: 3 }, null]), 1],
  [JSON.stringify([{ name: '别处', address: 'https://elsewhere.test/' }, { name: '别页', address: '/alertsomething' }]), 0],
])('of %j are read %i views', (kept, count) => expect(read(kept)).toHaveLength(count));

test('columns are shown in their order, whatever the order in which they were chosen', () => {
  expect(toggled(['changed', 'code'], 'state')).toEqual(['code', 'state', 'changed']);
  expect(toggled(['code', 'state'], 'code')).toEqual(['state']);
  expect(readColumns('["expires","code","nonsense"]')).toEqual(['code', 'expires']);
  expect(readColumns('broken')).toEqual(usual);
});
