// The second factor as the platform speaks of it.
import type { Assertion, Attestation, CreationOptions, RequestOptions } from '../../api/passkey.ts';
import { client, data, type Schema } from '../../api/client.ts';

/** With what one can prove who one is; `demo` is a code that the guide of the demo shows. */
export type FactorKind = Schema['FactorKind'];
export type ProofKind = Schema['ProofKind'];
export type SecondFactor = Schema['SecondFactor'];
export type Factor = Schema['Factor'];
export type OwnFactors = Schema['OwnFactors'];

export type Proof = { code: string } | { recovery_code: string } | { passkey: { state: string; credential: Assertion } };
export type Proved = Schema['SessionProved'];
export type AppOffer = Schema['TotpOffered'];
// What a browser makes of a passkey's options, and what it answers, is the browser's to describe.
export interface PasskeyOffer { state: string; public_key: CreationOptions }
export interface Challenge { state: string; public_key: RequestOptions }
export type Enrolment = { name: string } & ({ totp: { state: string; code: string } } | { passkey: { state: string; credential: Attestation } });
export type Enrolled = Schema['FactorEnrolled'];

const api = client();
/** A body as the platform describes it, where a browser's own part is an object to it. */
const as = <T>(body: unknown) => body as T;

export const prove = (proof: Proof): Promise<Proved> => data(api.POST('/api/v1/session/proof', { body: as<Schema['ProofShown']>(proof) }));
export const challenge = async () => as<Challenge>(await data(api.POST('/api/v1/session/passkey/challenge')));
export const signInWithPasskey = (state: string, credential: Assertion) => data(api.POST('/api/v1/session/passkey', { body: as<Schema['PasskeySignIn']>({ state, credential, cookie: true }) }));

export const offerApp = (): Promise<AppOffer> => data(api.POST('/api/v1/session/factors/totp/offer'));
export const offerPasskey = async () => as<PasskeyOffer>(await data(api.POST('/api/v1/session/factors/passkey/offer')));
export const enrol = (enrolment: Enrolment): Promise<Enrolled> => data(api.POST('/api/v1/session/factors', { body: as<Schema['NewFactor']>(enrolment) }));

export const ownFactors = (): Promise<OwnFactors> => data(api.GET('/api/v1/session/factors'));
export const rename = (id: string, name: string) => data(api.PATCH('/api/v1/session/factors/{id}', { params: { path: { id } }, body: { name } }));
export const remove = (id: string) => data(api.DELETE('/api/v1/session/factors/{id}', { params: { path: { id } } }));
export const renewRecoveryCodes = async () => (await data(api.POST('/api/v1/session/recovery-codes'))).recovery_codes;
export const forgetDevices = () => data(api.DELETE('/api/v1/session/devices'));
