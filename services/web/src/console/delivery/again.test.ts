import { describe, expect, it } from 'vitest';
import { again } from './again.ts';

const round = (number: number, planned_at: string | null) => ({ round: number, asked_at: '2026-11-22T04:00:00Z', people: 9, sent: 0, planned_at });
const wave = (number: number, unreachable: number) => ({ wave: number, unreachable });

describe('sending again', () => {
  it('is possible while an alert lives and somebody was not reached', () => {
    expect(again({ state: 'active', waves: [wave(1, 7), wave(2, 3)], sent_again: [] })).toEqual({ people: 7, round: 1, possible: true });
    expect(again({ state: 'dispatching', waves: [wave(1, 7)], sent_again: [] }).possible).toBe(true);
    for (const state of ['planning', 'waiting', 'closed', 'cancelled', 'superseded']) expect(again({ state, waves: [wave(1, 7)], sent_again: [] }).possible).toBe(false);
    expect(again({ state: 'active', waves: [wave(1, 0)], sent_again: [] }).possible).toBe(false);
    expect(again({ state: 'active', waves: [], sent_again: [] }).possible).toBe(false);
  });

  it('waits for the round that is under way, and asks for the next one after it', () => {
    expect(again({ state: 'active', waves: [wave(1, 7)], sent_again: [round(1, null)] }).possible).toBe(false);
    expect(again({ state: 'active', waves: [wave(1, 7)], sent_again: [round(1, '2026-11-22T04:01:00Z')] })).toEqual({ people: 7, round: 2, possible: true });
  });
});
