// How pages talk to the platform: typed by its own description (`schema.d.ts` is made from /openapi.json), told the
// platform's time with every answer, and every refusal turned into a `Problem` that a person can act on.
import createClient, { type Middleware } from 'openapi-fetch';
import { say } from '../words/say.svelte.ts';
import { heard } from '../words/time.svelte.ts';
import { proving } from './proving.ts';
import type { components, paths } from './schema.d.ts';

/** The platform's types by their names: `Schema['AlertDetail']`. */
export type Schema = components['schemas'];

/** What went wrong, as the platform says it (RFC 9457), or as the page must when it could not be reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    private readonly zh: string,
    private readonly en: string,
    /** Which fields are wrong, by their paths. */
    readonly fields: readonly { field: string; reason: string; reason_en: string }[] = [],
    /** In how many seconds trying again makes sense. */
    readonly retryAfter: number | null = null,
  ) {
    super(code);
  }

  /** The sentence for the reader. */
  get sentence(): string {
    return say(this.zh, this.en);
  }

  /** What is wrong with one field, for the reader. */
  field(path: string): string | undefined {
    const fault = this.fields.find((fault) => fault.field === path);
    return fault && say(fault.reason, fault.reason_en);
  }

  /** Whether the person themselves stopped it: nothing is wrong. */
  get isDeclined(): boolean {
    return this.code === 'proof_declined';
  }

  /** Whether it never arrived: the network or the platform is away. */
  get isAway(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** The platform could not be asked. */
export const away = () =>
  new Problem(0, 'away', '连接不上平台，请检查网络。已填写的内容不会丢失，请稍后再试。', 'The platform cannot be reached. Nothing you wrote is lost; try again in a moment.');

/** A problem as the platform tells it, also one of many in an answer. */
export function problemFrom(told: Schema['Problem']): Problem {
  return new Problem(told.status, told.code, told.detail, told.detail_en, told.errors ?? [], told.retry_after ?? null);
}

/** A problem out of an answer that is none of success. */
export async function problemOf(response: Response): Promise<Problem> {
  const said: unknown = await response.json().catch(() => null);
  if (said && typeof said === 'object' && 'code' in said) {
    return problemFrom({ ...(said as Schema['Problem']), status: response.status });
  }
  return new Problem(response.status, 'unexpected', `平台的回答无法理解（${response.status}），请重试。`, `The platform's answer makes no sense (${response.status}); try again.`);
}

/** How a caller proves who they are. Staff have a cookie that no script reads; residents and screens carry a token. */
export type Proof = () => Record<string, string>;

let whenSignedOut: () => void = () => {};

/** What is to be done when the platform no longer knows the caller. */
export function onSignedOut(action: () => void): void {
  whenSignedOut = action;
}

/** Refusals of somebody at the door: they end no session. */
const refusesEntry: readonly string[] = ['wrong_credentials', 'passkey_refused'];

/** A client that proves itself this way. Its calls return the data or throw a `Problem`. */
export function client(proof: Proof = () => ({})) {
  const asked = createClient<paths>({ baseUrl: location.origin, fetch: proving((request) => fetch(request)) });
  const middleware: Middleware = {
    onRequest({ request }) {
      request.headers.set('x-fenghuo-request', '1');
      for (const [name, value] of Object.entries(proof())) request.headers.set(name, value);
      return request;
    },
    async onResponse({ response }) {
      heard(response.headers.get('x-fenghuo-time'));
      if (response.ok) return;
      const problem = await problemOf(response);
      if (problem.status === 401 && !refusesEntry.includes(problem.code)) whenSignedOut();
      throw problem;
    },
    onError({ error }) {
      return error instanceof Problem ? error : away();
    },
  };
  asked.use(middleware);
  return asked;
}

/** The data of an answer; the middleware has thrown where there is none. */
export async function data<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}

/** Whatever was thrown, as a problem. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  console.error(thrown);
  return new Problem(-1, 'page', '页面出错，请刷新后重试。', 'The page failed; reload it and try again.');
}
