import { expect, test, vi } from 'vitest';
import { overtakenWord } from '../../words/overtaken.ts';
import type { HistoryLine } from './contract.ts';
import { overtakers, stillOpen } from './overtaken.ts';

// The words ask in which language they are read, which is kept in the browser.
vi.hoisted(() => {
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
  vi.stubGlobal('location', { search: '', origin: 'http://fenghuo.test', href: 'http://fenghuo.test/', hostname: 'fenghuo.test', hash: '' });
  vi.stubGlobal('document', { documentElement: { lang: '' } });
});

const line = (version: number, action: string, actor: string | null) => ({ version, action, actor, at: '2026-11-22T04:00:00Z' }) as HistoryLine;

test('a page tells what others did since it was opened, and nothing of what its reader did', () => {
  const history = [line(1, 'write', 'wang'), line(2, 'submit', 'wang'), line(3, 'pass_district', 'zhang'), line(4, 'approve', 'me'), line(5, 'release', null)];
  expect(overtakers(history, 2, 'me').map(({ version }) => version)).toEqual([3, 5]);
  expect(overtakers(history, 5, 'me')).toEqual([]);
});

test('a question about what somebody else has decided is taken back', () => {
  expect(stillOpen('approve', { state: 'approved', open_actions: ['cancel'] })).toBe(false);
  expect(stillOpen('approve', { state: 'city_review', open_actions: ['approve', 'return_city'] })).toBe(true);
  expect(stillOpen('correct', { state: 'active', open_actions: [] })).toBe(true);
  expect(stillOpen('correct', { state: 'superseded', open_actions: [] })).toBe(false);
});

test('it is said with the name of whoever did it', () => {
  expect(overtakenWord('approve', '张三（市级指挥部）', 'zh-CN')).toBe('张三（市级指挥部）已批准。');
  expect(overtakenWord('approve', 'Zhang San (City command)', 'en')).toBe('Zhang San (City command) has approved it.');
  expect(overtakenWord('something_new', '平台', 'zh-CN')).toContain('平台');
});
