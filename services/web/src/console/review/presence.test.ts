import { expect, it } from 'vitest';
import { inOrder, isEdited } from './presence.ts';

const reads = { staff: 'li', editing: false, since: '2026-11-22T04:00:00Z' };
const writes = { staff: 'zhang', editing: true, since: '2026-11-22T04:05:00Z' };

it('names whoever changes it before those who read, and says that it is being changed', () => {
  expect(inOrder([reads, writes]).map(({ staff }) => staff)).toEqual(['zhang', 'li']);
  expect([isEdited([reads]), isEdited([reads, writes])]).toEqual([false, true]);
});
