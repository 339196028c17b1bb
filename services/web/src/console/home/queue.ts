// In which order what waits is to be taken, and what comes next.
import type { AlertLine } from '../alert/contract.ts';

type Waiting = Pick<AlertLine, 'alert_id' | 'state' | 'class' | 'changed_at'> & { exercise?: boolean };

/** 0 is first: a live urgent confirmation, then other urgent alerts, then reviews, then drafts. */
function rank(line: Waiting): number {
  if (line.state === 'draft') return 4;
  if (line.state === 'awaiting_confirmation') return line.exercise ? 2 : 0;
  return line.class === 'urgent' ? 1 : 3;
}

/** What waits in the order to take it: urgent confirmations, then what has waited longest; one's drafts come last. */
export function inTurn<T extends Waiting>(lines: readonly T[]): T[] {
  return [...lines].sort((one, other) => rank(one) - rank(other) || Date.parse(one.changed_at) - Date.parse(other.changed_at));
}

/** What to show after one was decided: the next review, if another waits. */
export function nextAfter<T extends Waiting>(lines: readonly T[], decided: string): T | null {
  return inTurn(lines).find((line) => line.alert_id !== decided && line.state !== 'draft') ?? null;
}
