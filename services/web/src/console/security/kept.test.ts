import { beforeEach, expect, test, vi } from 'vitest';
import { codesKept, codesMayBeLost, codesShown, dropOffer, forget, keepOffer, keptOffer } from './kept.ts';

const held = new Map<string, string>();
vi.stubGlobal('sessionStorage', { getItem: (key: string) => held.get(key) ?? null, setItem: (key: string, value: string) => held.set(key, value), removeItem: (key: string) => held.delete(key) });

const AT = Date.parse('2026-11-22T04:00:00Z');
const offer = { state: 'sealed', secret: 'JBSWY3DPEHPK3PXP', uri: 'otpauth://totp/x', qr: ['1'], now: '2026-11-22T04:00:00Z' };
beforeEach(() => held.clear());

test('an app that was scanned can be confirmed after a reload', () => {
  keepOffer('one', offer, AT);
  expect(keptOffer('one', AT + 60_000)).toEqual(offer);
});

test('an offer is for one account, and for a while', () => {
  keepOffer('one', offer, AT);
  expect(keptOffer('two', AT)).toBeNull();
  expect(keptOffer('one', AT + 15 * 60_000)).toBeNull();
});

test('nothing of a secret stays once it is used, or somebody signed out', () => {
  keepOffer('one', offer, AT);
  dropOffer();
  expect(held.size).toBe(0);
  keepOffer('one', offer, AT);
  codesShown('one');
  forget();
  expect(held.size).toBe(0);
});

test('codes that were shown and not kept are remembered until they are', () => {
  codesShown('one');
  expect([codesMayBeLost('one'), codesMayBeLost('two')]).toEqual([true, false]);
  codesKept();
  expect(codesMayBeLost('one')).toBe(false);
});

test('what was kept and is damaged is nothing', () => {
  held.set('fenghuo.offer', '{');
  expect(keptOffer('one', AT)).toBeNull();
});
