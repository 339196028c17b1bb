import { expect, test } from 'vitest';
import { factorsOf, lacksFactor } from './factors.ts';

const account = { role: 'district_reviewer' as const, disabled_at: null, awaits_owner: false };

test('who is in use and has none is seen', () => {
  expect(lacksFactor({ ...account, factors: [] })).toBe(true);
  expect(lacksFactor({ ...account, factors: ['totp'] })).toBe(false);
});

test('who needs none, cannot sign in yet, or no more, is not counted', () => {
  expect(lacksFactor({ ...account, role: 'auditor', factors: [] })).toBe(false);
  expect(lacksFactor({ ...account, factors: [], awaits_owner: true })).toBe(false);
  expect(lacksFactor({ ...account, factors: [], disabled_at: '2026-11-22T04:00:00Z' })).toBe(false);
});

test('two passkeys are one kind', () => expect(factorsOf({ factors: ['passkey', 'passkey', 'totp'] })).toEqual(['passkey', 'totp']));
