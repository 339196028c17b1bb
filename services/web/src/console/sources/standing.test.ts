import { describe, expect, it } from 'vitest';
import { standing } from './standing.ts';
import type { Report } from './send.ts';

const load = (source: string, received_at: string, more: Partial<Report> = {}): Report => ({
  load_id: source + received_at, source, format: 'csv', received_at, finished_at: received_at, ending: 'complete', accepted: 10, repeated: 0, refused: 1, refused_rows: [], ...more,
});

const held = (state: 'waiting' | 'releasing' | 'released' | 'expired'): Report['held'] => ({ state, why: [], rows: 9, refused: 0, since: '2026-11-22T03:59:00Z' });

describe('a load', () => {
  const now = Date.parse('2026-11-22T04:00:00Z');
  it.each([
    [{ finished_at: null, ending: null }, 'running'],
    [{ finished_at: null, ending: null, received_at: '2026-11-21T04:00:00Z' }, 'stuck'],
    [{ ending: 'broken_off' as const }, 'broken_off'],
    [{ refused: 0 }, 'complete'],
    [{ refused: 3 }, 'some_refused'],
    [{ held: held('waiting') }, 'waiting'],
    [{ held: held('releasing') }, 'running'],
    [{ held: held('released'), refused: 0 }, 'complete'],
    [{ held: held('expired') }, 'discarded'],
  ])('with %j is %s', (more, expected) => {
    expect(standing(load('疾控', '2026-11-22T03:59:00Z', more), now)).toBe(expected);
  });
});
