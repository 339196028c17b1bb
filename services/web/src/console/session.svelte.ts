// Who is signed in at the console. The session is a cookie that no script can read.
import { client, data, onSignedOut, Problem, type Schema } from '../api/client.ts';

export type SignedIn = Schema['SignedInStaff'];

/** The console's way to the platform. */
export const api = client();

const state = $state<{ staff: SignedIn | null; known: boolean; ended: boolean }>({ staff: null, known: false, ended: false });

onSignedOut(() => {
  if (state.staff) state.ended = true;
  state.staff = null;
});

/** Who is signed in; null when nobody is. */
export function staff(): SignedIn | null {
  return state.staff;
}

/** Whether it is known yet who is signed in. */
export function isKnown(): boolean {
  return state.known;
}

/** Whether a session ended while the page was open. */
export function hasEnded(): boolean {
  return state.ended;
}

/** Asks the platform whose session the cookie is. */
export async function recall(): Promise<void> {
  try {
    state.staff = await data(api.GET('/api/v1/session'));
  } catch (thrown) {
    if (!(thrown instanceof Problem && thrown.status === 401)) throw thrown;
    state.staff = null;
    state.ended = false;
  } finally {
    state.known = true;
  }
}

export async function signIn(login: string, password: string): Promise<void> {
  const begun = await data(api.POST('/api/v1/session', { body: { login, password, cookie: true } }));
  state.staff = begun.staff;
  state.ended = false;
}

/** Sets the password of a new or reset account with both halves of its code, and signs in. */
export async function activate(login: string, first_half: string, second_half: string, password: string): Promise<void> {
  const begun = await data(api.POST('/api/v1/session/activation', { body: { login, first_half, second_half, password, cookie: true } }));
  state.staff = begun.staff;
  state.ended = false;
}

export async function signOut(): Promise<void> {
  await api.DELETE('/api/v1/session');
  state.staff = null;
  state.ended = false;
}

/** The district of the scope, where there is one: `500103`. */
export function ownDistrict(of: SignedIn): string | null {
  const [kind, code] = of.scope.split(':');
  return kind === 'district' || kind === 'community' ? (code ?? '').slice(0, 6) : null;
}
