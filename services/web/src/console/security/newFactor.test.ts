import { beforeEach, expect, test, vi } from 'vitest';
import { isNews, noteEnrolment } from './newFactor.ts';

const held = new Map<string, string>();
vi.stubGlobal('localStorage', { getItem: (key: string) => held.get(key) ?? null, setItem: (key: string, value: string) => held.set(key, value) });
const AT = Date.parse('2026-11-22T04:00:00Z');
beforeEach(() => held.clear());

test('a factor that this browser did not enrol is told to its owner', () => {
  expect(isNews('one', '2026-11-22T03:00:00Z', AT)).toBe(true);
  expect(isNews('one', null, AT)).toBe(false);
});

test('what its owner enrolled here, or has seen, is no news; the next one is', () => {
  noteEnrolment('one', '2026-11-22T03:00:00Z');
  expect(isNews('one', '2026-11-22T03:00:00Z', AT)).toBe(false);
  expect(isNews('two', '2026-11-22T03:00:00Z', AT)).toBe(true);
  expect(isNews('one', '2026-11-22T03:30:00Z', AT)).toBe(true);
});

test('after two weeks it is told no more', () => expect(isNews('one', '2026-11-01T00:00:00Z', AT)).toBe(false));
