import { expect, test } from 'vitest';
import { Heard, isAbout, pause, workOf } from './heard.ts';

const change = (alert_id: string, version = 1) => ({ alert_id, version, state: 'active' });

test('a list of changes is heard as the changes in it', () => {
  const heard = new Heard();
  heard.take(JSON.stringify([change('one'), change('two')]));
  heard.take(JSON.stringify([change('three')]));
  expect(heard.out().map(({ alert_id }) => alert_id)).toEqual(['one', 'two', 'three']);
});

test('an open page hears of its own alert, and of no other', () => {
  const heard = new Heard();
  heard.take(JSON.stringify([change('one')]));
  const told = heard.out();
  expect(isAbout('one')(told)).toBe(true);
  expect(isAbout('two')(told)).toBe(false);
});

test('where the platform cannot say which, every page looks, whatever else came with it', () => {
  const heard = new Heard();
  heard.take(JSON.stringify([change('one')]));
  heard.take('[]');
  expect(isAbout('two')(heard.out())).toBe(true);
});

test('what was missed while the line was down may be anything, and is told once', () => {
  const heard = new Heard();
  heard.missed();
  expect(heard.out()).toEqual([]);
  heard.take(JSON.stringify([change('one')]));
  expect(heard.out()).toHaveLength(1);
});

test('tries that fail are made more and more rarely, and never more than a minute apart', () => {
  expect([1, 2, 3, 4].map(pause)).toEqual([2000, 4000, 8000, 16_000]);
  expect(pause(20)).toBe(60_000);
});

test('work on a draft is told once for each alert and kind, and what makes no sense is none', () => {
  const work = (alert_id: string, what: string) => ({ alert_id, what, at: '2026-11-22T04:00:00Z' });
  expect(workOf(JSON.stringify([work('one', 'claim'), work('one', 'claim'), work('one', 'comments'), { other: 1 }])).map(({ what }) => what)).toEqual(['claim', 'comments']);
  expect(workOf(JSON.stringify(work('two', 'presence'))).map(({ alert_id }) => alert_id)).toEqual(['two']);
});
