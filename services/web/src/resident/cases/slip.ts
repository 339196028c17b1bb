// The number and the PIN of a case as people write them down, type them and read them aloud. No I/O; whether they are right the platform says.

/** Digits as the platform takes them, whatever keyboard they come from: `３８４ ２０１` is `384201`. */
export const digitsOf = (typed: string): string => typed.normalize('NFKC').replace(/\D/g, '');

/** A PIN in groups that can be read aloud: `384 201`. */
export const grouped = (pin: string): string => pin.replace(/(\d{3})(?=\d)/g, '$1 ');

/** The group that is typed back to show that the slip was written down. */
export const lastGroup = (pin: string): string => grouped(pin).split(' ').at(-1) ?? '';

/** Whether it was typed back; the whole PIN does as well. */
export const isTypedBack = (pin: string, typed: string): boolean => [lastGroup(pin), pin].includes(digitsOf(typed));

/** Number and PIN as they are copied. */
export const slipOf = (number: string, pin: string, zh: boolean): string => (zh ? `烽火办件编号 ${number}，查询码 ${grouped(pin)}` : `Fenghuo case ${number}, PIN ${grouped(pin)}`);
