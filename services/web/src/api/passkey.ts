// Passkeys as the browser has them: what it can do, and what a person is told when it came to nothing.
import { browserSupportsWebAuthn, browserSupportsWebAuthnAutofill, startAuthentication, startRegistration, WebAuthnAbortService, type AuthenticationResponseJSON, type PublicKeyCredentialCreationOptionsJSON, type PublicKeyCredentialRequestOptionsJSON, type RegistrationResponseJSON } from '@simplewebauthn/browser';
import { Problem } from './client.ts';

export type { AuthenticationResponseJSON as Assertion, PublicKeyCredentialCreationOptionsJSON as CreationOptions, PublicKeyCredentialRequestOptionsJSON as RequestOptions, RegistrationResponseJSON as Attestation };

/** Whether a browser gives passkeys to pages at this address: it never does to a bare number. */
export function isName(host: string): boolean {
  return !/^\d{1,3}(\.\d{1,3}){3}$|:/.test(host);
}

let refused = false;

/** The platform has said that it has no passkeys: none are offered until the page is loaded again. */
export function noPasskeys(): void {
  refused = true;
}

/** Whether passkeys can be used here. */
export function hasPasskeys(): boolean {
  return !refused && browserSupportsWebAuthn() && isName(location.hostname);
}

/** Whether the browser offers passkeys by itself where a name is asked for. */
export async function offersPasskeys(): Promise<boolean> {
  return hasPasskeys() && (await browserSupportsWebAuthnAutofill());
}

/** Has the person show that it is they: a finger, a face, the PIN of the device. */
export function showPasskey(options: PublicKeyCredentialRequestOptionsJSON): Promise<AuthenticationResponseJSON> {
  return startAuthentication({ optionsJSON: options }).catch(told);
}

/** Waits until the person picks a passkey where their name is asked for; null when something else came first. */
export function pickedPasskey(options: PublicKeyCredentialRequestOptionsJSON): Promise<AuthenticationResponseJSON | null> {
  // Whatever ends the waiting, the form with name and password stands there all the same.
  return startAuthentication({ optionsJSON: options, useBrowserAutofill: true }).catch(() => null);
}

/** Waits for no passkey any longer. */
export function stopWaiting(): void {
  WebAuthnAbortService.cancelCeremony();
}

/** Makes a passkey on a device of the person's. */
export function makePasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<RegistrationResponseJSON> {
  // Devices that can hide a passkey from whoever has not shown who they are do so; most phones cannot, and must not be shut out: each use asks anyway.
  const extensions = { ...options.extensions, enforceCredentialProtectionPolicy: false } as typeof options.extensions;
  return startRegistration({ optionsJSON: { ...options, extensions } }).catch(told);
}

/** What a person is told of a browser's refusal. */
export function refusal(name: string): Problem {
  const words: Record<string, [string, string]> = {
    NotAllowedError: ['没有完成验证：已取消或等待超时。可以再试一次，或换一种方式。', 'That was not completed: it was cancelled or took too long. Try again, or another way.'],
    InvalidStateError: ['这台设备上已经有您的通行密钥，可以直接使用。', 'This device has a passkey of yours already; use it.'],
    SecurityError: ['在这个网址不能使用通行密钥，请从平台的正式网址打开，或换一种方式。', "Passkeys do not work at this address. Open the platform's own address, or use another way."],
    ConstraintError: ['这台设备不能保存带指纹、面容或 PIN 验证的通行密钥。请先设置屏幕锁，或换一种方式。', 'This device cannot keep a passkey behind a finger, a face or a PIN. Set a screen lock first, or use another way.'],
  };
  const found = words[name] ?? ['通行密钥没有成功，请再试一次，或换一种方式。', 'The passkey did not work. Try again, or another way.'];
  return new Problem(0, `passkey_${name}`, ...(found as [string, string]));
}

function told(thrown: unknown): never {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  throw refusal(cause instanceof Error ? cause.name : '');
}
