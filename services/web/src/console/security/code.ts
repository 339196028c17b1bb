// Codes as people type and read them.

/** The digits of what was typed, full-width ones too, and no more than a code has. */
export function digits(typed: string): string {
  return typed.normalize('NFKC').replace(/\D/g, '').slice(0, 6);
}

/** Whether it is a whole code. */
export function isCode(typed: string): boolean {
  return /^\d{6}$/.test(typed);
}

/** A secret in groups of four, as it is typed into an app by hand. */
export function inFours(secret: string): string {
  return secret.replace(/\s/g, '').match(/.{1,4}/g)?.join(' ') ?? '';
}

/** Seconds until an app shows the next code. */
export function secondsToNext(at: number): number {
  return 30 - (Math.floor(at / 1000) % 30);
}

/** The modules of a QR code as one path, with the quiet zone that readers need around it. */
export function qrPath(rows: readonly string[]): { path: string; size: number } {
  const QUIET = 4;
  const path = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map((run) => `M${run.index + QUIET} ${y + QUIET}h${run[0].length}v1h-${run[0].length}z`)).join('');
  return { path, size: rows.length + 2 * QUIET };
}

/** The recovery codes as a file to keep. */
export function asText(codes: readonly string[], heading: readonly string[]): string {
  return [...heading, '', ...codes, ''].join('\r\n');
}
