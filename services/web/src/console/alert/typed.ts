// A number typed to confirm: as people type it, with or without commas, blanks, full-width digits.

/** What is typed instead where the people could not be counted: that it is for real, or an exercise. */
export function wordFor(exercise: boolean, english: boolean): string {
  return exercise ? (english ? 'EXERCISE' : '演练') : english ? 'LIVE' : '实际';
}

/** Whether it was, in either language. */
export function isWordFor(typed: string, exercise: boolean): boolean {
  return (exercise ? /^(演练|exercise)$/i : /^(实际|live)$/i).test(typed.trim());
}

/** The number that was typed; null if it is none. */
export function typedNumber(typed: string): number | null {
  const plain = typed.normalize('NFKC').replace(/[\s,，'’]/gu, '');
  return /^\d{1,9}$/.test(plain) ? Number(plain) : null;
}
