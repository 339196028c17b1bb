import { expect, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', href: 'http://fenghuo.test/' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { readyReasons, withReason } = await import('./reasons.ts');

test.each([
  ['', '来源不清楚', '来源不清楚'],
  ['请写日期', '来源不清楚', '请写日期\n来源不清楚'],
  ['来源不清楚\n请写日期', '来源不清楚', '来源不清楚\n请写日期'],
])('to %j is added %j', (reason, taken, becomes) => expect(withReason(reason, taken)).toBe(becomes));

test('a ready reason is long enough to return with', () => expect(readyReasons().every((reason) => reason.length > 1)).toBe(true));
