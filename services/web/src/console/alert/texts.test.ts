import { expect, it } from 'vitest';
import { inOrder, length, sentences } from './texts.ts';

it('cuts a text into sentences that can be pointed at', () => {
  expect(sentences('请立即前往隔离点。途中佩戴口罩！不要乘坐公共交通')).toEqual(['请立即前往隔离点。', '途中佩戴口罩！', '不要乘坐公共交通']);
  expect(sentences('Go at once. Wear a mask.\nCall 023-63840000')).toEqual(['Go at once.', 'Wear a mask.', 'Call 023-63840000']);
  expect(sentences('')).toEqual([]);
});

it('counts characters as the platform does', () => expect(length('水🔥')).toBe(2));

it('puts Chinese first', () => expect(inOrder({ en: 1, 'zh-CN': 2 }).map(([language]) => language)).toEqual(['zh-CN', 'en']));
