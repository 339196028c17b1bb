import { describe, expect, it, test } from 'vitest';
import { clocksInTurn, inTurn, isUntakenHelp, joined, pressing, spent, toneOf } from './clocks.ts';
import type { CaseLine, Clock } from './contract.ts';

const line = (number: string, due_at: string | null, more: Partial<CaseLine> = {}) =>
  ({ number, kind: 'complaint', state: 'working', raised: false, due: due_at && { due_at }, ...more }) as CaseLine;

test.each([[0, false, 'fine', 'jade'], [50, false, 'half', 'sky'], [80, false, 'close', 'amber'], [100, false, 'late', 'fire'], [0, true, 'late', 'fire']] as const)('a warning at %i %% (late: %s) is %s', (warning, late, level, tone) => {
  expect(pressing({ warning, late })).toBe(level);
  expect(toneOf({ warning, late })).toBe(tone);
});

test('without a clock nothing presses, and a bar is full at most', () => {
  expect(pressing(null)).toBe('fine');
  expect([spent({ share: 40 }), spent({ share: 170 }), spent({ share: 0 })]).toEqual([0.4, 1, 0]);
});

describe('a list', () => {
  const help = line('help', '2026-12-09T00:00:00Z', { kind: 'urgent_help', state: 'received' });
  it('begins with who needs help and was not taken up, then what was raised, then what is due first', () => {
    const lines = [line('later', '2026-12-02T00:00:00Z'), line('none', null), line('sooner', '2026-12-01T00:00:00Z'), line('raised', '2026-12-08T00:00:00Z', { raised: true }), help];
    expect(inTurn(lines).map(({ number }) => number)).toEqual(['help', 'raised', 'sooner', 'later', 'none']);
  });
  it('has urgent help in its turn once somebody has taken it', () => expect([isUntakenHelp(help), isUntakenHelp({ ...help, state: 'working' })]).toEqual([true, false]));
  it('shows no case twice', () => expect(joined([line('a', null)], [line('a', null), line('b', null)]).map(({ number }) => number)).toEqual(['a', 'b']));
});

test('clocks that run come first, the one due first at the top', () => {
  const clock = (promise: string, due_at: string, stopped_at?: string) => ({ promise, due_at, stopped_at }) as unknown as Clock;
  const all = [clock('take', '1', '2'), clock('finish', '9'), clock('order', '3', '5'), clock('progress', '4')];
  expect(clocksInTurn(all).map(({ promise }) => promise)).toEqual(['progress', 'finish', 'order', 'take']);
});
