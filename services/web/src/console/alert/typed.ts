// A number typed to confirm: as people type it, with or without commas, blanks, full-width digits.

/** The number that was typed; null if it is none. */
export function typedNumber(typed: string): number | null {
  const plain = typed.normalize('NFKC').replace(/[\s,，'’]/gu, '');
  return /^\d{1,9}$/.test(plain) ? Number(plain) : null;
}
