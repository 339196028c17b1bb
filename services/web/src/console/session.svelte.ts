// Who is signed in at the console. The session is a cookie that no script can read.
import { client, data, onSignedOut, Problem, type Schema } from '../api/client.ts';
import { onSecondFactorNeeded } from '../api/proving.ts';
import { showPasskey, type Assertion } from '../api/passkey.ts';
import { challenge, prove, signInWithPasskey, type Proof, type SecondFactor } from './security/contract.ts';
import { forget } from './security/kept.ts';

export type SignedIn = Schema['SignedInStaff'];

/** The console's way to the platform. */
export const api = client();

/** Where nothing is said about it, nothing is outstanding. */
const NOTHING: SecondFactor = { needs: null, kinds: [], proved_at: null, fresh_until: null, enrolled_at: null };

// What is proved stands beside who it is: a proof in the middle of a page must not change the person that the page is about.
const state = $state<{ staff: SignedIn | null; factor: SecondFactor; known: boolean; ended: boolean; codesLeft: number | null }>({ staff: null, factor: NOTHING, known: false, ended: false, codesLeft: null });

onSignedOut(() => {
  if (state.staff) state.ended = true;
  state.staff = null;
});
onSecondFactorNeeded(() => void recall().catch(() => {}));

/** Who is signed in and can work; null when nobody is. */
export function staff(): SignedIn | null {
  return state.factor.needs ? null : state.staff;
}

/** Who has given the right password and has a second factor still to prove or to enrol. */
export function atTheDoor(): SignedIn | null {
  return state.factor.needs ? state.staff : null;
}

/** How they prove who they are, and what of it is outstanding. */
export function secondFactor(): SecondFactor {
  return state.factor;
}

/** How many recovery codes were left after one was used in this page. */
export function recoveryCodesLeft(): number | null {
  return state.codesLeft;
}

/** Whether it is known yet who is signed in. */
export function isKnown(): boolean {
  return state.known;
}

/** Whether a session ended while the page was open. */
export function hasEnded(): boolean {
  return state.ended;
}

function entered(staff: SignedIn): void {
  state.factor = (staff as SignedIn & { second_factor?: SecondFactor }).second_factor ?? NOTHING;
  state.staff = staff;
  state.ended = false;
}

/** Asks the platform whose session the cookie is. */
export async function recall(): Promise<void> {
  try {
    entered(await data(api.GET('/api/v1/session')));
  } catch (thrown) {
    if (!(thrown instanceof Problem && thrown.status === 401)) throw thrown;
    state.staff = null;
    state.ended = false;
  } finally {
    state.known = true;
  }
}

/** Finds out whether the session still stands, without a change to the page; one that has ended is told as that. */
export async function isStillIn(): Promise<boolean> {
  return api.GET('/api/v1/session').then(() => true, (thrown: unknown) => !(thrown instanceof Problem && thrown.status === 401));
}

/** Takes over what the platform says of the second factor. */
export function proved(factor: SecondFactor): void {
  state.factor = factor;
}

/** Asks again with what one could prove it: factors may have come and gone in another window. */
export async function recallFactor(): Promise<void> {
  const staff = (await data(api.GET('/api/v1/session'))) as SignedIn & { second_factor?: SecondFactor };
  if (staff.id === state.staff?.id) state.factor = staff.second_factor ?? NOTHING;
}

export async function signIn(login: string, password: string): Promise<void> {
  entered((await data(api.POST('/api/v1/session', { body: { login, password, cookie: true } }))).staff);
}

/** What staff call the city's directory; null where there is none to sign in through. */
export async function offeredDirectory(): Promise<{ name: string; name_en: string } | null> {
  const { name, name_en } = await data(api.GET('/api/v1/session/directory'));
  return name && name_en ? { name, name_en } : null;
}

/** Signs in with a passkey alone, which the person has shown. */
export async function enterWithPasskey(shown: { state: string; credential: Assertion }): Promise<void> {
  entered((await signInWithPasskey(shown.state, shown.credential)).staff as SignedIn);
}

/** Has a passkey shown. */
export async function passkeyShown(): Promise<{ state: string; credential: Assertion }> {
  const asked = await challenge();
  return { state: asked.state, credential: await showPasskey(asked.public_key) };
}

/** Proves who they are, at the door or again later. */
export async function giveProof(proof: Proof): Promise<void> {
  const found = await prove(proof);
  if ('recovery_code' in proof) state.codesLeft = found.recovery_codes_left;
  state.factor = found.second_factor;
}

/** Sets the password of a new or reset account with both halves of its code, and signs in. */
export async function activate(login: string, first_half: string, second_half: string, password: string): Promise<void> {
  entered((await data(api.POST('/api/v1/session/activation', { body: { login, first_half, second_half, password, cookie: true } }))).staff);
}

export async function signOut(): Promise<void> {
  await api.DELETE('/api/v1/session');
  forget();
  state.factor = NOTHING;
  state.staff = null;
  state.ended = false;
  state.codesLeft = null;
}

/** The district of the scope, where there is one: `500103`. */
export function ownDistrict(of: SignedIn): string | null {
  const [kind, code] = of.scope.split(':');
  return kind === 'district' || kind === 'community' ? (code ?? '').slice(0, 6) : null;
}
