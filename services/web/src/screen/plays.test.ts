import { expect, test } from 'vitest';
import type { Play } from './contract.ts';
import { newId, noted, without } from './plays.ts';

const play = (play_id: string): Play => ({ play_id, alert_id: 'a', shown_at: '2026-11-22T04:00:00Z', seconds: 8 });

test('plays are bounded: the oldest go', () => {
  let plays: Play[] = [];
  for (let at = 0; at < 30; at += 1) plays = noted(plays, play(String(at)), 10);
  expect(plays.map(({ play_id }) => play_id)).toEqual(Array.from({ length: 10 }, (_, at) => String(at + 20)));
});

test('what was reported goes, what came meanwhile stays', () => {
  const reported = [play('1'), play('2')];
  expect(without([...reported, play('3')], reported)).toEqual([play('3')]);
});

test('every play has its own name', () => {
  const ids = new Set(Array.from({ length: 100 }, newId));
  expect(ids.size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
