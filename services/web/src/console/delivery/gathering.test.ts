import { describe, expect, it } from 'vitest';
import { Gathering, MOST, totals, type Totals } from './gathering.ts';

const point = (app: number, more: Partial<Totals> = {}): Totals => ({ app, sms: 0, delivered: 0, reminded: 0, acknowledged: 0, failed: 0, ...more });
const NOON = Date.parse('2026-11-22T04:00:00Z');

describe('what is told', () => {
  it('adds up by wave and channel', () => {
    const channel = (name: string, accepted: number, unreachable = 0) => ({ channel: name, accepted, unreachable, fell_back: 0 });
    expect(totals({ acknowledged: 7, waves: [{ wave: 1, channels: [channel('app', 90, 3), channel('sms', 10, 1)] }, { wave: 2, channels: [channel('app', 40, 2)] }] }))
      .toEqual({ app: 90, sms: 10, delivered: 0, reminded: 40, acknowledged: 7, failed: 4 });
  });
});

describe('a gathering', () => {
  it('sums the bins of what went before', () => {
    const gathering = new Gathering();
    gathering.begin({
      from: '2026-11-22T04:00:00Z', bin_s: 10,
      hand_overs: [
        { at: '2026-11-22T04:00:10Z', wave: 1, channel: 'app', accepted: 5, failed: 1 },
        { at: '2026-11-22T04:00:00Z', wave: 1, channel: 'app', accepted: 10, failed: 0 },
        { at: '2026-11-22T04:00:10Z', wave: 1, channel: 'sms', accepted: 2, failed: 0 },
      ],
      acknowledgements: [{ at: '2026-11-22T04:00:00Z', count: 4 }],
    }, [{ at: '2026-11-22T04:00:00Z', count: 2 }]);
    expect(gathering.columns()).toEqual([
      [NOON / 1000, NOON / 1000 + 10, NOON / 1000 + 20, NOON / 1000 + 60],
      [0, 10, 15, 15], [0, 0, 2, 2], [0, 0, 0, 2], [0, 0, 0, 4], [0, 0, 0, 0], [0, 0, 1, 1],
    ]);
  });

  it('keeps what was told after the end of the bins', () => {
    const gathering = new Gathering();
    gathering.take(point(1), NOON);
    gathering.take(point(99), NOON + 60_000);
    gathering.begin({ from: '2026-11-22T04:00:00Z', bin_s: 10, hand_overs: [{ at: '2026-11-22T04:00:00Z', wave: 1, channel: 'app', accepted: 50, failed: 0 }], acknowledgements: [] });
    expect(gathering.columns()[1]).toEqual([0, 50, 99]);
  });

  it('is one point a second, however much is told', () => {
    const gathering = new Gathering();
    gathering.take(point(0), NOON);
    for (let telling = 1; telling <= 200; telling++) gathering.take(point(telling), NOON + 1000 + telling * 4);
    expect(gathering.columns()[1]).toEqual([0, 200]);
  });

  it('stays small for hours at 200 tellings a second, and quick', () => {
    const gathering = new Gathering();
    const begun = performance.now();
    for (let telling = 0; telling < 200 * 3600 * 2; telling++) gathering.take(point(telling), NOON + telling * 5);
    expect(gathering.size).toBeLessThanOrEqual(MOST);
    expect(gathering.size).toBeGreaterThan(MOST / 4);
    expect(gathering.last?.app).toBe(200 * 3600 * 2 - 1);
    expect(gathering.columns()[0][0]).toBe(NOON / 1000);
    expect(performance.now() - begun).toBeLessThan(3000);
  });

  it('never goes back in time when a clock is moved', () => {
    const gathering = new Gathering();
    for (const at of [0, 5000, 2000, 7000]) gathering.take(point(at), NOON + at);
    const times = gathering.columns()[0];
    expect([...times].sort((a, b) => a - b)).toEqual(times);
  });

  it('knows how fast it goes', () => {
    const gathering = new Gathering();
    for (let second = 0; second <= 60; second++) gathering.take(point(second * 500), NOON + second * 1000);
    expect(gathering.rate()).toBe(500);
    expect(new Gathering().rate()).toBe(0);
  });

  it('reads as a few rows, the newest last', () => {
    const gathering = new Gathering();
    for (let second = 0; second < 300; second++) gathering.take(point(second), NOON + second * 1000);
    const rows = gathering.rows(10);
    expect(rows).toHaveLength(10);
    expect(rows.at(-1)?.totals.app).toBe(299);
  });
});
