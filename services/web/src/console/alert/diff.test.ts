import { describe, expect, it } from 'vitest';
import { difference, type Part } from './diff.ts';

const told = (parts: Part[]) => parts.map(({ kind, text }) => ({ same: text, gone: `[-${text}-]`, new: `[+${text}+]` })[kind]).join('');
const without = (parts: Part[], kind: Part['kind']) => parts.filter((part) => part.kind !== kind).map((part) => part.text).join('');

describe('the difference of two texts', () => {
  it.each([
    ['请前往渝州宾馆', '请前往渝州宾馆', '请前往渝州宾馆'],
    ['请前往渝州宾馆隔离', '请前往南山宾馆隔离', '请前往[-渝州-][+南山+]宾馆隔离'],
    ['Go to Yuzhou Hotel at once', 'Go to Nanshan Hotel now', 'Go to [-Yuzhou-][+Nanshan+] Hotel [-at once-][+now+]'],
    ['', '新', '[+新+]'],
    ['旧', '', '[-旧-]'],
    ['电话 63840000', '电话 63840001', '电话 [-63840000-][+63840001+]'],
  ])('%s → %s', (before, after, expected) => expect(told(difference(before, after))).toBe(expected));

  it('loses nothing of either text', () => {
    const [before, after] = ['a b c 甲乙丙 d', 'b 甲丙丁 c d e'];
    const parts = difference(before, after);
    expect(without(parts, 'new')).toBe(before);
    expect(without(parts, 'gone')).toBe(after);
  });

  it('takes the longest texts there are', () => {
    const parts = difference('字'.repeat(600) + '甲', '句'.repeat(600) + '甲');
    expect(without(parts, 'new')).toHaveLength(601);
  });
});
