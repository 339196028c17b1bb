import { beforeEach, expect, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', origin: 'http://fenghuo.test', href: 'http://fenghuo.test/', hostname: 'fenghuo.test' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const platform = vi.fn<(path: string, method: string) => Response>();
vi.stubGlobal('fetch', async (request: Request) => platform(new URL(request.url).pathname, request.method));
const { api, atTheDoor, giveProof, hasEnded, recall, recoveryCodesLeft, secondFactor, signIn, signOut, staff } = await import('./session.svelte.ts');

const factor = (needs: 'proof' | 'enrolment' | null) => ({ needs, kinds: needs === 'enrolment' ? [] : ['totp', 'recovery_code'], proved_at: null, fresh_until: null, enrolled_at: null });
const person = (needs: 'proof' | 'enrolment' | null) => ({ id: '1', name: '值班', role: 'city_command_officer', scope: 'city', second_factor: factor(needs) });
const says = (status: number, body: unknown) => Response.json(body, { status });

/** The platform answers by what was asked of it. */
const answers = (by: Record<string, () => Response>) => platform.mockImplementation((path, method) => (by[`${method} ${path}`] ?? (() => says(404, { code: 'not_found', detail: '', detail_en: '' })))());

beforeEach(async () => {
  answers({ 'DELETE /api/v1/session': () => new Response(null, { status: 204 }) });
  await signOut();
});

test('a right password alone lets nobody in', async () => {
  answers({ 'POST /api/v1/session': () => says(201, { staff: person('proof') }) });
  await signIn('command.one', 'right');
  expect(staff()).toBeNull();
  expect(atTheDoor()?.name).toBe('值班');
});

test('the proof lets them in', async () => {
  answers({
    'POST /api/v1/session': () => says(201, { staff: person('proof') }),
    'POST /api/v1/session/proof': () => says(200, { second_factor: factor(null), recovery_codes_left: 10 }),
  });
  await signIn('command.one', 'right');
  await giveProof({ code: '123456' });
  expect(staff()?.name).toBe('值班');
  expect(atTheDoor()).toBeNull();
  expect(recoveryCodesLeft()).toBeNull();
});

test('a wrong code leaves them at the door', async () => {
  answers({
    'POST /api/v1/session': () => says(201, { staff: person('proof') }),
    'POST /api/v1/session/proof': () => says(403, { code: 'proof_refused', detail: '', detail_en: '' }),
  });
  await signIn('command.one', 'right');
  await expect(giveProof({ code: '000000' })).rejects.toMatchObject({ code: 'proof_refused' });
  expect(staff()).toBeNull();
  expect(atTheDoor()).not.toBeNull();
});

test('a fresh proof in the middle of a page leaves the person who they are, so that nothing of the page is built anew', async () => {
  answers({
    'POST /api/v1/session': () => says(201, { staff: person(null) }),
    'POST /api/v1/session/proof': () => says(200, { second_factor: { ...factor(null), proved_at: '2026-11-22T04:00:00Z' }, recovery_codes_left: 9 }),
  });
  await signIn('command.one', 'right');
  const before = staff();
  await giveProof({ recovery_code: 'aaaaa-bbbbb-ccccc' });
  expect(staff()).toBe(before);
  expect(secondFactor().proved_at).toBe('2026-11-22T04:00:00Z');
  expect(recoveryCodesLeft()).toBe(9);
});

test('an account that must have a factor and has none is led to enrol one, after a reload too', async () => {
  answers({ 'GET /api/v1/session': () => says(200, person('enrolment')) });
  await recall();
  expect(staff()).toBeNull();
  expect(atTheDoor()).not.toBeNull();
  expect(secondFactor().needs).toBe('enrolment');
});

test('a session that lost its proof is led to the second step by whatever it asks next', async () => {
  answers({ 'POST /api/v1/session': () => says(201, { staff: person(null) }) });
  await signIn('command.one', 'right');
  expect(staff()).not.toBeNull();
  answers({
    'GET /api/v1/session': () => says(200, person('proof')),
    'GET /api/v1/limits': () => says(403, { code: 'second_factor_needed', detail: '', detail_en: '' }),
  });
  await expect(api.GET('/api/v1/limits')).rejects.toMatchObject({ code: 'second_factor_needed' });
  await vi.waitFor(() => expect(atTheDoor()).not.toBeNull());
  expect(staff()).toBeNull();
});

test('a refused passkey ends nothing; a session that is over is told', async () => {
  answers({ 'POST /api/v1/session': () => says(201, { staff: person(null) }) });
  await signIn('command.one', 'right');
  answers({ 'GET /api/v1/limits': () => says(401, { code: 'passkey_refused', detail: '', detail_en: '' }) });
  await expect(api.GET('/api/v1/limits')).rejects.toBeDefined();
  expect(staff()).not.toBeNull();
  answers({ 'GET /api/v1/limits': () => says(401, { code: 'not_signed_in', detail: '', detail_en: '' }) });
  await expect(api.GET('/api/v1/limits')).rejects.toBeDefined();
  expect(staff()).toBeNull();
  expect(hasEnded()).toBe(true);
});
