import { describe, expect, it } from 'vitest';
import type { FollowUp } from './contract.ts';
import { people } from './people.ts';

const item = (id: number, resident_no: number, opened_at: string, exercise = false) =>
  ({ id, resident_no, opened_at, exercise, community: 500103001001 }) as FollowUp;

describe('people to visit', () => {
  it('appear once with all their alerts, who has waited longest first, exercises last', () => {
    const found = people([item(1, 9, '2026-11-22T03:00:00Z', true), item(4, 7, '2026-11-22T06:00:00Z'), item(2, 8, '2026-11-22T05:00:00Z'), item(3, 7, '2026-11-22T04:00:00Z')]);
    expect(found.map(({ resident_no, items }) => [resident_no, items.map(({ id }) => id)])).toEqual([[7, [3, 4]], [8, [2]], [9, [1]]]);
  });

  it('do not mix an exercise with the real thing', () => {
    expect(people([item(1, 7, '2026-11-22T03:00:00Z', true), item(2, 7, '2026-11-22T04:00:00Z')])).toHaveLength(2);
  });
});
