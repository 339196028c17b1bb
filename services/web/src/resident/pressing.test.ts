import { expect, test } from 'vitest';
import type { OwnNotice } from './contract.ts';
import { pressing } from './pressing.ts';

const notice = (more: Partial<OwnNotice>): OwnNotice => ({ notice_id: 1, kind: 'number_changed', at: '2026-03-02T02:00:00Z', seen: true, ...more });

test('what was read and cannot be changed any more does not press', () => {
  const open = notice({ notice_id: 2, kind: 'identity_taken', binding_id: 7, object_until: '2026-03-09T02:00:00Z' });
  const unread = notice({ notice_id: 3, seen: false });
  expect(pressing([notice({}), open, unread])).toEqual([open, unread]);
});
