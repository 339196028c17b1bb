import { expect, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', origin: 'http://fenghuo.test', href: 'http://fenghuo.test/', hostname: '127.0.0.1' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { hasPasskeys, isName, refusal } = await import('./passkey.ts');

test.each([
  ['localhost', true],
  ['fenghuo.cq.gov.cn', true],
  ['127.0.0.1', false],
  ['[::1]', false],
])('passkeys at %s: %s', (host, can) => expect(isName(host)).toBe(can));

test('nothing is offered where the browser has none', () => expect(hasPasskeys()).toBe(false));

test('what the browser refuses is said in words', () => {
  for (const name of ['NotAllowedError', 'InvalidStateError', 'SecurityError', 'ConstraintError', 'SomethingElse']) expect(refusal(name).sentence).toMatch(/[一-龥]{6}/);
  expect(refusal('NotAllowedError').sentence).not.toBe(refusal('SecurityError').sentence);
});
