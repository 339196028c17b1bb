import { describe, expect, it } from 'vitest';
import { arrivals, standing } from './arrivals.ts';
import type { Report } from './send.ts';

const load = (source: string, received_at: string, more: Partial<Report> = {}): Report => ({
  load_id: source + received_at, source, format: 'csv', received_at, finished_at: received_at, ending: 'complete', accepted: 10, repeated: 0, refused: 1, refused_rows: [], ...more,
});

describe('arrivals', () => {
  it('name every source once, the longest silent first', () => {
    const found = arrivals([load('疾控', '2026-11-22T03:00:00Z'), load('社区', '2026-11-22T02:00:00Z'), load('疾控', '2026-11-21T03:00:00Z')]);
    expect(found.map(({ source, loads, accepted, last }) => [source, loads, accepted, last.received_at])).toEqual([
      ['社区', 1, 10, '2026-11-22T02:00:00Z'],
      ['疾控', 2, 20, '2026-11-22T03:00:00Z'],
    ]);
  });
});

describe('a load', () => {
  const now = Date.parse('2026-11-22T04:00:00Z');
  it.each([
    [{ finished_at: null, ending: null }, 'running'],
    [{ finished_at: null, ending: null, received_at: '2026-11-21T04:00:00Z' }, 'stuck'],
    [{ ending: 'broken_off' as const }, 'broken_off'],
    [{ refused: 0 }, 'complete'],
    [{ refused: 3 }, 'some_refused'],
  ])('with %j is %s', (more, expected) => {
    expect(standing(load('疾控', '2026-11-22T03:59:00Z', more), now)).toBe(expected);
  });
});
