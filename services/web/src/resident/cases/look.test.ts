import { expect, test, vi } from 'vitest';
import type { CitizenCase } from './contract.ts';
import { askedNow, dueWord, furtherSteps, isOver, needsText, untilWord } from './look.ts';

// The words ask in which language they are read, which is kept in the browser.
vi.hoisted(() => {
  vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
  vi.stubGlobal('location', { search: '', origin: 'http://fenghuo.test', href: 'http://fenghuo.test/', hostname: 'fenghuo.test', hash: '' });
  vi.stubGlobal('document', { documentElement: { lang: '' } });
});

const one = (more: Partial<CitizenCase>) => ({ state: 'working', asked: null, open_events: [], ...more }) as CitizenCase;

test('what is asked of somebody comes before what they may do besides', () => {
  const waiting = one({ state: 'waiting', asked: '哪一天？', open_events: ['supplement', 'chase', 'withdraw'] });
  expect(askedNow(waiting)).toBe('answer');
  expect(furtherSteps(waiting)).toEqual(['chase', 'withdraw']);
  const told = one({ state: 'told', open_events: ['not_satisfied', 'satisfied', 'supplement'] });
  expect(askedNow(told)).toBe('rating');
  expect(furtherSteps(told)).toEqual(['supplement']);
});

test('nothing is offered that the platform does not open', () => {
  expect(askedNow(one({ state: 'waiting', asked: '哪一天？' }))).toBeNull();
  expect(furtherSteps(one({}))).toEqual([]);
});

test('who is not satisfied says why; who chases need not', () => expect([needsText('not_satisfied'), needsText('supplement'), needsText('chase'), needsText('satisfied')]).toEqual([true, true, false, false]));

test('an end is an end, a told answer is none yet', () => expect([isOver('closed'), isOver('merged'), isOver('told')]).toEqual([true, true, false]));

test('a closed case can still be looked at again, where the platform says so', () => expect(furtherSteps(one({ state: 'closed', open_events: ['not_satisfied'] }))).toEqual(['not_satisfied']));

test('working days end with their day, hours at their minute, and what is late says so', () => {
  const at = '2026-12-05T16:00:00Z';
  expect(dueWord({ at, day: '2026-12-05', late: false })).toMatch(/12月5日.*结束前/);
  expect(untilWord({ at })).toMatch(/12月5日.*结束前/);
  expect(untilWord({ at: '2026-12-05T03:30:00Z' })).toMatch(/12月5日 11:30 前/);
  expect(dueWord({ at, day: '2026-12-05', late: true })).toContain('已超时');
});
