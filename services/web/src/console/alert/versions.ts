// What an alert said at its earlier versions, and with which of them it is worth comparing.
import type { AlertContent, HistoryLine } from './contract.ts';

export interface Version { version: number; content: AlertContent }

type Step = Pick<HistoryLine, 'version' | 'action' | 'content'>;
const returns = ['return_district', 'return_city', 'decline'];

/** Every text it had, oldest first. */
export function versions(history: readonly Step[]): Version[] {
  return history.flatMap(({ version, content }) => (content ? [{ version, content }] : [])).sort((one, other) => one.version - other.version);
}

/** The earlier texts, newest first: what the present one can be compared with. */
export function earlier(history: readonly Step[]): Version[] {
  return versions(history).slice(0, -1).reverse();
}

/** Whether it was ever sent back to its author. */
export function wasReturned(history: readonly Step[]): boolean {
  return history.some((step) => returns.includes(step.action));
}

/** The text to compare with at first: the one that was returned last, else the one before; null if it never changed. */
export function worthComparing(history: readonly Step[]): Version | null {
  const all = versions(history);
  const now = all.at(-1);
  if (!now || all.length < 2) return null;
  const returned = history.filter((step) => returns.includes(step.action) && step.version < now.version).sort((one, other) => other.version - one.version)[0];
  return (returned && all.findLast((one) => one.version < returned.version)) ?? all.at(-2) ?? null;
}
