// What stands between a request and its answer when the platform wants to be surer of who asks: the person is asked to prove it in place, and
// the same request is made again, once, so that nothing that was filled in is lost. Here, and on no page.
import { Problem } from './client.ts';

/** Asks the person; resolves with whether they proved who they are. */
export type Ask = () => Promise<boolean>;

let ask: Ask | undefined;
let asked: Promise<boolean> | undefined;
let whenUnproved: () => void = () => {};

/** How a person is asked for a fresh proof. Returns how to ask no more. */
export function onFreshProofNeeded(how: Ask): () => void {
  ask = how;
  return () => {
    if (ask === how) ask = undefined;
  };
}

/** What is to be done when the session has a second factor still to prove or to enrol. */
export function onSecondFactorNeeded(action: () => void): void {
  whenUnproved = action;
}

/** They were asked and did not want to: nothing was changed. */
export const declined = () =>
  new Problem(403, 'proof_declined', '您取消了身份验证，没有做任何改动。需要时可以再次提交。', 'You did not prove who you are, so nothing was changed. You can send it again.');

async function codeOf(answer: Response): Promise<string | undefined> {
  const said: unknown = await answer.clone().json().catch(() => null);
  return said && typeof said === 'object' && 'code' in said ? String(said.code) : undefined;
}

/** Asks the person for a fresh proof, for what no answer of its own asks for: one of many decisions. Several that ask at once are one question. */
export function askForProof(): Promise<boolean> {
  if (!ask) return Promise.resolve(false);
  asked ??= ask().finally(() => (asked = undefined));
  return asked;
}

/** Sends requests this way, and those again for which a fresh proof was wanted and given. */
export function proving(send: (request: Request) => Promise<Response>): (request: Request) => Promise<Response> {
  return async (request) => {
    // What was read out of a request is gone; the second time takes the copy.
    const again = request.clone();
    const answer = await send(request);
    if (answer.status !== 403) return answer;
    const code = await codeOf(answer);
    if (code === 'second_factor_needed') whenUnproved();
    if (code !== 'fresh_proof_needed' || !ask) return answer;
    if (!(await askForProof())) throw declined();
    return send(again);
  };
}
