import { expect, test } from 'vitest';
import type { OwnNotice } from './contract.ts';
import { identityStanding, noticeWord, pressing } from './standing.ts';

const notice = (more: Partial<OwnNotice>): OwnNotice => ({ notice_id: 1, kind: 'number_changed', at: '2026-03-02T02:00:00Z', seen: true, ...more });

test('what was read and cannot be changed any more does not press', () => {
  const open = notice({ notice_id: 2, kind: 'identity_taken', binding_id: 7, object_until: '2026-03-09T02:00:00Z' });
  const unread = notice({ notice_id: 3, seen: false });
  expect(pressing([notice({}), open, unread])).toEqual([open, unread]);
});

test('each has its words', () => {
  const kinds: OwnNotice['kind'][] = ['signed_in_elsewhere', 'identity_proved', 'identity_taken', 'identity_put_back', 'number_changed'];
  expect(new Set(kinds.map(noticeWord)).size).toBe(kinds.length);
  expect(new Set((['none', 'claimed', 'proved'] as const).map(identityStanding)).size).toBe(3);
});
