import { expect, test } from 'vitest';
import { enrolledOnPassword, factorsOf, lacksFactor } from './factors.ts';

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

test('who enrolled on a password alone is told of for two weeks, the last first', () => {
  const on = (factor_on_password_at: string | null, disabled_at: string | null = null) => ({ factor_on_password_at, disabled_at });
  const all = [on('2026-11-08T00:00:00Z'), on('2026-11-20T00:00:00Z'), on('2026-11-22T00:00:00Z'), on(null), on('2026-11-21T00:00:00Z', '2026-11-22T00:00:00Z')];
  expect(enrolledOnPassword(all, Date.parse('2026-11-23T00:00:00Z'))).toEqual([all[2], all[1]]);
});
