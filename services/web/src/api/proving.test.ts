import { beforeEach, expect, test, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => {} });
vi.stubGlobal('location', { search: '', origin: 'http://fenghuo.test', href: 'http://fenghuo.test/' });
vi.stubGlobal('document', { documentElement: { lang: '' } });
const { onFreshProofNeeded, onSecondFactorNeeded, proving } = await import('./proving.ts');

const refusal = (code: string) => Response.json({ code, detail: '', detail_en: '' }, { status: 403 });
const request = () => new Request('http://fenghuo.test/api/v1/alerts/1/decisions', { method: 'POST', body: '{"action":"confirm"}' });

/** A platform that wants a fresh proof until there is one. */
function platform() {
  const seen: string[] = [];
  const state = { proved: false };
  const send = async (request: Request) => {
    seen.push(await request.text());
    return state.proved ? Response.json({ state: 'approved' }) : refusal('fresh_proof_needed');
  };
  return { seen, state, send };
}

beforeEach(() => onFreshProofNeeded(async () => false));

test('a proof that was given sends the same request again', async () => {
  const { seen, state, send } = platform();
  onFreshProofNeeded(async () => (state.proved = true));
  const answer = await proving(send)(request());
  expect(answer.status).toBe(200);
  expect(seen).toEqual(['{"action":"confirm"}', '{"action":"confirm"}']);
});

test('it is sent again once, whatever the second answer is', async () => {
  const { seen, send } = platform();
  onFreshProofNeeded(async () => true);
  const answer = await proving(send)(request());
  expect(answer.status).toBe(403);
  expect(seen.length).toBe(2);
});

test('a question that was turned away changes nothing and says so', async () => {
  const { seen, send } = platform();
  await expect(proving(send)(request())).rejects.toMatchObject({ code: 'proof_declined', status: 403 });
  expect(seen.length).toBe(1);
});

test('several requests at once are one question, and the next one is another', async () => {
  const { state, send } = platform();
  const ask = vi.fn(async () => (state.proved = true));
  onFreshProofNeeded(ask);
  const asks = proving(send);
  await Promise.all([asks(request()), asks(request()), asks(request())]);
  expect(ask).toHaveBeenCalledTimes(1);
  state.proved = false;
  await asks(request());
  expect(ask).toHaveBeenCalledTimes(2);
});

test('an outstanding second factor leads to its step and is asked nothing in place', async () => {
  const [step, ask] = [vi.fn(), vi.fn(async () => true)];
  onSecondFactorNeeded(step);
  onFreshProofNeeded(ask);
  const send = vi.fn(async () => refusal('second_factor_needed'));
  expect((await proving(send)(request())).status).toBe(403);
  expect([step.mock.calls.length, ask.mock.calls.length, send.mock.calls.length]).toEqual([1, 0, 1]);
});

test('other refusals are answers like any other, and can still be read', async () => {
  const answer = await proving(async () => refusal('outside_scope'))(request());
  expect(((await answer.json()) as { code: string }).code).toBe('outside_scope');
});

test('where nobody can be asked the refusal stands', async () => {
  onFreshProofNeeded(async () => true)();
  const { send, seen } = platform();
  expect((await proving(send)(request())).status).toBe(403);
  expect(seen.length).toBe(1);
});
