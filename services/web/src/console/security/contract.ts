// The second factor as the platform speaks of it.
// TO GO: the shapes and paths below are written by hand until `schema.d.ts` has them.
import type { Assertion, Attestation, CreationOptions, RequestOptions } from '../../api/passkey.ts';
import { client, data } from '../../api/client.ts';

/** With what one can prove who one is; `demo` is a code that the guide of the demo shows. */
export type FactorKind = 'totp' | 'passkey' | 'demo';
export type ProofKind = FactorKind | 'recovery_code';

export interface SecondFactor {
  needs: 'proof' | 'enrolment' | 'reset' | null;
  kinds: ProofKind[];
  proved_at: string | null;
  fresh_until: string | null;
  enrolled_at: string | null;
  /** When its first factor was enrolled by who had shown a password alone, if it was. */
  on_password_at?: string | null;
  /** Of an account from before there were second factors that has none: until then it works as it did. */
  enrol_by?: string | null;
}

export interface Factor { id: string; kind: FactorKind; name: string; created_at: string; last_used_at: string | null }
export interface OwnFactors { factors: Factor[]; recovery_codes_left: number; known_devices: number; needed: boolean }

export type Proof = { code: string } | { recovery_code: string } | { passkey: { state: string; credential: Assertion } };
export interface Proved { second_factor: SecondFactor; recovery_codes_left: number }

export interface AppOffer { state: string; secret: string; uri: string; qr: string[] }
export interface PasskeyOffer { state: string; public_key: CreationOptions }
export interface Challenge { state: string; public_key: RequestOptions }
export type Enrolment = { name: string } & ({ totp: { state: string; code: string } } | { passkey: { state: string; credential: Attestation } });
export interface Enrolled { factor: Factor; recovery_codes?: string[] | null; second_factor: SecondFactor }

type Init = { body?: unknown; params?: { path: Record<string, string> } };
const ask = client() as unknown as Record<'GET' | 'POST' | 'PATCH' | 'DELETE', (path: string, init?: Init) => Promise<{ data?: unknown }>>;
const told = async <T>(answer: Promise<{ data?: unknown }>): Promise<T> => (await data(answer)) as T;

export const prove = (proof: Proof) => told<Proved>(ask.POST('/api/v1/session/proof', { body: proof }));
export const challenge = () => told<Challenge>(ask.POST('/api/v1/session/passkey/challenge', { body: {} }));
export const signInWithPasskey = (state: string, credential: Assertion) => told<{ staff: unknown }>(ask.POST('/api/v1/session/passkey', { body: { state, credential, cookie: true } }));

export const offerApp = () => told<AppOffer>(ask.POST('/api/v1/session/factors/totp/offer'));
export const offerPasskey = () => told<PasskeyOffer>(ask.POST('/api/v1/session/factors/passkey/offer'));
export const enrol = (enrolment: Enrolment) => told<Enrolled>(ask.POST('/api/v1/session/factors', { body: enrolment }));

export const ownFactors = () => told<OwnFactors>(ask.GET('/api/v1/session/factors'));
export const rename = (id: string, name: string) => told<void>(ask.PATCH('/api/v1/session/factors/{id}', { params: { path: { id } }, body: { name } }));
export const remove = (id: string) => told<void>(ask.DELETE('/api/v1/session/factors/{id}', { params: { path: { id } } }));
export const renewRecoveryCodes = async () => (await told<{ recovery_codes: string[] }>(ask.POST('/api/v1/session/recovery-codes'))).recovery_codes;
export const forgetDevices = () => told<void>(ask.DELETE('/api/v1/session/devices'));
