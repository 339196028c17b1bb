import { expect, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', origin: 'http://fenghuo.test', href: 'http://fenghuo.test/' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { Problem } = await import('../api/client.ts');
const { proofRefused, waysOf } = await import('./factor.ts');

const AT = Date.parse('2026-11-22T04:00:00Z');
const refused = (code: string, status = 403, retryAfter: number | null = null) => new Problem(status, code, '平台的话', 'What the platform says', [], retryAfter);

test('the easiest way comes first, and only ways that work here', () => {
  expect(waysOf(['totp', 'passkey', 'recovery_code'], true)).toEqual(['passkey', 'code', 'recovery_code']);
  expect(waysOf(['passkey', 'recovery_code'], false)).toEqual(['recovery_code']);
  expect(waysOf(['demo'], true)).toEqual(['code']);
  expect(waysOf([], true)).toEqual([]);
});

test('a wrong code, a used one and a wrong recovery code are told apart', () => {
  const said = [
    proofRefused(refused('proof_refused'), 'code', { off: 0, at: AT }),
    proofRefused(refused('code_already_used'), 'code', { off: 0, at: AT }),
    proofRefused(refused('proof_refused'), 'recovery_code', { off: 0, at: AT }),
    proofRefused(refused('proof_refused'), 'passkey', { off: 0, at: AT }),
  ].map((sentences) => sentences.join(''));
  expect(new Set(said).size).toBe(4);
  expect(said[1]).toContain('用过');
});

test('too many tries say when the next may be, and what works meanwhile', () => {
  const said = proofRefused(refused('too_many_requests', 429, 90), 'code', { off: 0, at: AT, others: ['passkey', 'code', 'recovery_code'] });
  expect(said[0]).toContain('12:01:30');
  expect(said[1]).toContain('通行密钥');
  expect(said[1]).toContain('恢复码');
});

test('a clock that is off is named, with how far', () => {
  expect(proofRefused(refused('proof_refused'), 'code', { off: 5 * 60_000, at: AT })[1]).toContain('快 5 分钟');
  expect(proofRefused(refused('proof_refused'), 'code', { off: -5 * 60_000, at: AT })[1]).toContain('慢 5 分钟');
  expect(proofRefused(refused('proof_refused'), 'code', { off: 10_000, at: AT })[1]).not.toContain('平台');
});

test('what else goes wrong is said as the platform says it', () => expect(proofRefused(refused('away', 0), 'code', { off: 0, at: AT })).toEqual(['平台的话']));
