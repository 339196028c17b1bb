// What is kept in this tab while a factor is being enrolled: on a phone the tab is often gone while one looks into the authenticator app.
import type { AppOffer } from './contract.ts';

const OFFER = 'fenghuo.offer';
const CODES = 'fenghuo.recovery-codes-unkept';
/** As long as the platform takes a code for an offer, less a minute. */
const GOOD_MS = 14 * 60_000;

interface Kept { whose: string; until: number; offer: AppOffer }

const store = (): Storage | null => {
  try {
    return sessionStorage;
  } catch {
    // A page that may keep nothing begins anew after a reload.
    return null;
  }
};

/** Keeps an offer of this account until its app is confirmed. */
export function keepOffer(whose: string, offer: AppOffer, at: number): void {
  store()?.setItem(OFFER, JSON.stringify({ whose, until: at + GOOD_MS, offer } satisfies Kept));
}

/** The offer that this account was shown, as long as it is good. */
export function keptOffer(whose: string, at: number): AppOffer | null {
  try {
    const kept = JSON.parse(store()?.getItem(OFFER) ?? 'null') as Kept | null;
    return kept?.whose === whose && at < kept.until ? kept.offer : null;
  } catch {
    return null;
  }
}

export function dropOffer(): void {
  store()?.removeItem(OFFER);
}

/** Notes that this account was shown recovery codes and has not said that they are kept. */
export function codesShown(whose: string): void {
  store()?.setItem(CODES, whose);
}

export function codesKept(): void {
  store()?.removeItem(CODES);
}

/** Whether this account was shown recovery codes that may be lost. */
export function codesMayBeLost(whose: string): boolean {
  return store()?.getItem(CODES) === whose;
}

/** Forgets all of it: somebody signs out. */
export function forget(): void {
  dropOffer();
  codesKept();
}
