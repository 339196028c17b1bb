import { expect, it, test } from 'vitest';
import { LENGTH, marked, people, sayable, threads } from './comments.ts';
import type { Comment } from './contract.ts';

const passage = { language: 'zh-CN', field: 'body', quote: '市场已关闭' } as const;
const comment = (comment_id: string, more: Partial<Comment> = {}): Comment => ({
  comment_id, reply_to: null, by: 'li', at: `2026-11-22T04:0${comment_id}:00Z`, version: 2, passage: null, stands: null, text: '请写日期', resolved_at: null, resolved_by: null, may_resolve: false, ...more,
});

it('puts replies under what they answer, and what is open before what is resolved', () => {
  const found = threads([
    comment('1', { resolved_at: '2026-11-22T05:00:00Z' }),
    comment('4', { reply_to: '2' }),
    comment('2'),
    comment('3', { reply_to: '2' }),
  ]);
  expect(found.map(({ first, replies }) => [first.comment_id, replies.map(({ comment_id }) => comment_id)])).toEqual([['2', ['3', '4']], ['1', []]]);
});

it('marks only words that are open and still stand there', () =>
  expect(marked([
    comment('1', { passage, stands: true }), comment('2', { passage, stands: false }), comment('3', { passage, stands: true, resolved_at: '2026-11-22T05:00:00Z' }), comment('4'),
  ])).toEqual([passage]));

it('names whoever wrote or resolved, once', () => expect(people([comment('1'), comment('2', { by: 'wang', resolved_by: 'li' })])).toEqual(['li', 'wang']));

test.each([['', false], ['  \n', false], ['请写日期', true], ['字'.repeat(LENGTH), true], ['字'.repeat(LENGTH + 1), false]])('%#: a comment says something within its length', (text, fits) =>
  expect(sayable(text)).toBe(fits));
