import { expect, it, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', href: 'http://fenghuo.test/', origin: 'http://fenghuo.test' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { lines, told } = await import('./returned.ts');

it('names a text by its field and language, and says of the audience only that it is another', () => {
  const found = lines([
    { field: 'instruction', language: 'zh-CN', was: '请煮沸', is: '请煮沸五分钟' },
    { field: 'audience', language: null, was: null, is: null },
  ]);
  expect(found.map(({ name, before, after, only }) => [name, before, after, only])).toEqual([['措施要求 · 中文', '请煮沸', '请煮沸五分钟', false], ['受众', '', '', true]]);
});

test.each([
  ['ack_window_s', 7200, '2 小时'],
  ['display', false, '不显示'],
  ['urgency', 'immediate', '立即行动'],
  ['status', 'exercise', '演练'],
  ['purpose', '减少暴露', '减少暴露'],
  ['place', { name: '城南集市', area: '500103' }, '城南集市'],
  ['source_note', null, ''],
])('%s %j reads %s', (field, value, reads) => expect(told(field, value)).toBe(reads));
