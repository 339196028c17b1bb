// The language of a page: Chinese first, English when chosen. Both wordings stand side by side where they are used, so that
// neither is forgotten when the other changes.

export type Tongue = 'zh-CN' | 'en';

const KEPT = 'fenghuo.tongue';

function kept(): Tongue {
  const asked = new URLSearchParams(location.search).get('lang');
  if (asked === 'en' || asked === 'zh-CN') {
    keep(asked);
    return asked;
  }
  try {
    return localStorage.getItem(KEPT) === 'en' ? 'en' : 'zh-CN';
  } catch {
    return 'zh-CN';
  }
}

function keep(tongue: Tongue): void {
  try {
    localStorage.setItem(KEPT, tongue);
  } catch {
    // A page that may keep nothing still speaks the language until it is closed.
  }
}

const chosen = $state<{ tongue: Tongue }>({ tongue: kept() });
document.documentElement.lang = chosen.tongue;

/** The language the page is in. */
export function tongue(): Tongue {
  return chosen.tongue;
}

/** Turns every word on the page into this language, now and at the next visit. */
export function speak(tongue: Tongue): void {
  chosen.tongue = tongue;
  document.documentElement.lang = tongue;
  keep(tongue);
  const address = new URL(location.href);
  if (!address.searchParams.has('lang')) return;
  // What the address asked for is no longer wanted, also after a reload.
  address.searchParams.delete('lang');
  history.replaceState(history.state, '', address);
}

/** The wording for the reader. */
export function say(zh: string, en: string): string {
  return chosen.tongue === 'en' ? en : zh;
}

// Making a formatter costs far more than using it.
const plain = new Intl.NumberFormat('en-GB');
const shares = [0, 1, 2].map((digits) => new Intl.NumberFormat('en-GB', { style: 'percent', maximumFractionDigits: digits }));

/** A number as both languages write it: 32,054,159. */
export function number(value: number): string {
  return plain.format(value);
}

/** A share as a percentage: `0.873` → `87.3%`. */
export function percent(share: number, digits: 0 | 1 | 2 = 1): string {
  return shares[digits]!.format(share);
}
