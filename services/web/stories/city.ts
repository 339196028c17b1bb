// The city that the stories are told in: the running platform, its accounts, its phones and its clock.

const URL = process.env['FENGHUO_URL'] ?? 'http://127.0.0.1:8080';

export interface Account { login: string; password: string; title: string; code?: string | null }

async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  const answer = await fetch(URL + path, { ...options, headers: { 'x-fenghuo-request': '1', 'content-type': 'application/json', ...options.headers } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  const text = await answer.text();
  return (text ? JSON.parse(text) : null) as T;
}

const sessions = new Map<string, string>();

export const city = {
  url: URL,
  /** Any call of the interface, as somebody with a token. */
  async call<T>(method: string, path: string, token: string, body?: unknown): Promise<T> {
    return ask<T>(`/api/v1/${path}`, { method, headers: { authorization: `Bearer ${token}` }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  },
  accounts: () => ask<Account[]>('/demo/accounts'),
  async account(login: string): Promise<Account> {
    const found = (await city.accounts()).find((account) => account.login === login);
    if (!found) throw new Error(`the city has no ${login}`);
    return found;
  },
  /** A session for what a story prepares behind the pages: the one there is, as long as it lasts, freshly proved. Attempts on an account are slowed down. */
  async signIn(login: string): Promise<string> {
    const { password, code } = await city.account(login);
    // What is prepared takes fresh proofs, and clocks of stories are put forward.
    // A session that is proved for the first time goes on under another token.
    const prove = async (token: string) => (await city.call<{ token?: string | null }>('POST', 'session/proof', token, { code })).token ?? token;
    const known = sessions.get(login);
    if (known && (await fetch(`${URL}/api/v1/session`, { headers: { authorization: `Bearer ${known}` } })).ok) {
      if (code) await prove(known);
      return known;
    }
    const body = JSON.stringify({ login, password });
    const token = await eventually(`${login} may sign in`, async () => {
      const answer = await fetch(`${URL}/api/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      if (!answer.ok && answer.status !== 429) throw new Error(`${login} is refused: ${answer.status} ${await answer.text()}`);
      return answer.ok && ((await answer.json()) as { token: string }).token;
    });
    const session = code ? await prove(token) : token;
    sessions.set(login, session);
    return session;
  },
  phones: () => ask<{ phone: string; community: string }[]>('/demo/phones'),
  /** Where the simulated providers tell what they received, and what addresses of subscriptions begin with. */
  providers: () => ask<{ control: string; web_push: string }>('/demo/providers'),
  sms: (phone: string) => ask<string[]>(`/demo/sms?phone=${encodeURIComponent(phone)}`),
  async forward(minutes: number): Promise<void> {
    await ask('/demo/clock/forward', { method: 'POST', body: JSON.stringify({ minutes }) });
  },
  async now(): Promise<Date> {
    const answer = await fetch(`${URL}/healthz`);
    return new Date(answer.headers.get('x-fenghuo-time') ?? Date.now());
  },
  /** Goes on to the next ten o'clock in the morning: no quiet hours are near. */
  async morning(): Promise<void> {
    const now = await city.now();
    const minutes = (now.getTime() / 60_000 + 8 * 60) % (24 * 60);
    await city.forward(Math.ceil((10 * 60 - minutes + 24 * 60) % (24 * 60)));
  },
  /** The code that a phone got last. */
  async code(phone: string, after: number): Promise<string> {
    return eventually(`a code for ${phone.slice(-4)}`, async () => {
      const texts = (await city.sms(phone)).slice(after);
      return texts.map((text) => /验证码 (\d{6})/.exec(text)?.[1]).find(Boolean);
    });
  },
};

/** Asks until there is an answer: what goes through broker and database takes a moment, and on a slow machine that does other things as well a long one. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined | null | false>, seconds = 180): Promise<T> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > until) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
