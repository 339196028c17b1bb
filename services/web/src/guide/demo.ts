// What only the demo has (`fenghuo up`): its accounts, its phones, and a clock that can be put forward. Elsewhere none of it answers.
import { away, Problem, problemOf } from '../api/client.ts';
import { heard } from '../words/time.svelte.ts';

/** A member of the demo's staff; the code is their second factor, which a key of a source does not have. */
export interface Account { login: string; password: string; title: string; code?: string | null }
export interface Phone { phone: string; community: string }
/** A member of the staff whose part the guide looks over the shoulder of. */
export interface Watcher { token: string; scope: string }
export interface Found { occurred_at: string; area: string }
export interface Line { alert_id: string; state: string; headline: string; changed_at: string }

async function ask<T>(method: string, path: string, more: { body?: unknown; token?: string; cookies?: boolean } = {}): Promise<T> {
  const headers: Record<string, string> = { 'x-fenghuo-request': '1' };
  if (more.token) headers['authorization'] = `Bearer ${more.token}`;
  const init: RequestInit = { method, headers, cache: 'no-store', credentials: more.cookies ? 'same-origin' : 'omit', signal: AbortSignal.timeout(20_000) };
  if (more.body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(more.body);
  }
  const answer = await fetch(path, init).catch(() => {
    throw away();
  });
  heard(answer.headers.get('x-fenghuo-time'));
  if (!answer.ok) throw await problemOf(answer);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** The staff of the demo city; null outside the demo. */
export async function accounts(): Promise<Account[] | null> {
  const answer = await fetch('/demo/accounts', { cache: 'no-store' }).catch(() => null);
  if (!answer?.ok || !answer.headers.get('content-type')?.includes('json')) return null;
  heard(answer.headers.get('x-fenghuo-time'));
  return (await answer.json()) as Account[];
}

export const phones = () => ask<Phone[]>('GET', '/demo/phones');
export const putForward = async (minutes: number) => heard((await ask<{ now: string }>('POST', '/demo/clock/forward', { body: { minutes } })).now);

/** `19000002691` and `+86 190 0000 2691` are one phone. */
export const international = (phone: string): string => `+86${phone.replace(/\D/g, '').slice(-11)}`;

/** What a phone got, oldest first. */
export const texts = async (phone: string): Promise<string[]> =>
  (await ask<(string | { text: string })[]>('GET', `/demo/sms?phone=${encodeURIComponent(international(phone))}`)).map((one) => (typeof one === 'string' ? one : one.text));

/** Signs in with both factors of a demo account, for the guide alone. */
export const signIn = async ({ login, password, code }: Account): Promise<Watcher> => {
  const begun = await ask<{ token: string; staff: { scope: string } }>('POST', '/api/v1/session', { body: { login, password } });
  // a session that was proved goes on under another token
  const proved = code ? await ask<{ token?: string | null }>('POST', '/api/v1/session/proof', { body: { code }, token: begun.token }) : {};
  return { token: proved.token ?? begun.token, scope: begun.staff.scope };
};

/** Signs this browser in at the console with both factors of a demo account, in place of whoever was. */
export async function enter({ login, password, code }: Account): Promise<void> {
  await ask('POST', '/api/v1/session', { body: { login, password, cookie: true }, cookies: true });
  if (code) await ask('POST', '/api/v1/session/proof', { body: { code }, cookies: true });
}

export const alertsIn = (state: string, by: Watcher) => ask<Line[]>('GET', `/api/v1/alerts?state=${state}`, { token: by.token });
export const alertOf = (id: string, by: Watcher) => ask<{ state: string; last_reason?: string | null }>('GET', `/api/v1/alerts/${id}`, { token: by.token });
export const inboxOf = (token: string) => ask<{ alert_id: string; acknowledged_at: string | null }[]>('GET', '/api/v1/me/inbox', { token });

/** The records that an alert came from: nobody is named in them, but time and place are. Null where that cannot be asked. */
export async function recordsOf(id: string, by: Watcher): Promise<Found[] | null> {
  try {
    return (await ask<{ records: Found[] }>('GET', `/api/v1/alerts/${id}/records`, { token: by.token })).records;
  } catch (thrown) {
    // An alert that somebody wrote came from no record.
    return thrown instanceof Problem && !thrown.isAway ? [] : null;
  }
}

/** Reports a close contact, as the unit that reports would. */
export const report = (phone: string, at: number, by: Watcher) =>
  ask<{ accepted: number; refused_rows?: { reason: string; reason_en: string }[] }>('POST', '/api/v1/records', {
    token: by.token,
    body: [{ source_id: `guide-${at}`, kind: 'close_contact', occurred_at: new Date(at).toISOString(), level: 'high', subject: { phone } }],
  });
