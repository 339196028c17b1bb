// In which order what waits is to be taken, and what comes next.
import type { AlertLine } from '../alert/contract.ts';

type Waiting = Pick<AlertLine, 'alert_id' | 'state' | 'class' | 'changed_at' | 'retraction' | 'retraction_asked_at' | 'held_at'> & { exercise?: boolean };

/** Since when it waits for whoever has to decide: for its end, or for the alert itself. */
export function waitsSince(line: Pick<AlertLine, 'changed_at' | 'retraction' | 'retraction_asked_at'>): string {
  return (line.retraction && line.retraction_asked_at) || line.changed_at;
}

/** The page on which it is decided. */
export function addressOf(line: Pick<AlertLine, 'alert_id' | 'state' | 'retraction'>): string {
  return `/alerts/${line.alert_id}${line.retraction ? '/retraction' : line.state === 'draft' ? '/edit' : ''}`;
}

/** Whether it may not wait: people may be acting on what is wrong, or nobody is told what is urgent. */
export function isPressing(line: Pick<AlertLine, 'state' | 'class' | 'retraction' | 'held_at'>): boolean {
  if (line.retraction) return line.class === 'urgent' || !!line.held_at;
  return line.state === 'awaiting_confirmation' || (line.class === 'urgent' && line.state !== 'draft');
}

/** 0 is first: the end of a live urgent alert and a live urgent confirmation, then other urgent alerts, then reviews, then drafts. */
function rank(line: Waiting): number {
  if (line.retraction) return line.exercise ? 2 : isPressing(line) ? 0 : 1;
  if (line.state === 'draft') return 4;
  if (line.state === 'awaiting_confirmation') return line.exercise ? 2 : 0;
  return line.class === 'urgent' ? 1 : 3;
}

/** What waits in the order to take it: urgent confirmations, then what has waited longest; one's drafts come last. */
export function inTurn<T extends Waiting>(lines: readonly T[]): T[] {
  return [...lines].sort((one, other) => rank(one) - rank(other) || Date.parse(waitsSince(one)) - Date.parse(waitsSince(other)));
}

/** How many of one headline are worth a heading of their own. */
const ALIKE = 3;

/** What waits with what says the same gathered under one heading, where there are several of it; everything stays in its turn, at the place of the first. */
export function gathered<T extends Pick<AlertLine, 'headline' | 'state' | 'class' | 'retraction'>>(lines: readonly T[]): { headline: string; lines: T[] }[] {
  const key = (line: T) => JSON.stringify([line.headline, line.state, line.class, line.retraction ?? null]);
  const alike = new Map<string, T[]>();
  for (const line of lines) alike.set(key(line), [...(alike.get(key(line)) ?? []), line]);
  return lines.flatMap((line) => {
    const all = alike.get(key(line))!;
    if (!line.headline || all.length < ALIKE) return [{ headline: '', lines: [line] }];
    return all[0] === line ? [{ headline: line.headline, lines: all }] : [];
  });
}

/** What to show after one was decided: the next review, if another waits. */
export function nextAfter<T extends Waiting>(lines: readonly T[], decided: string): T | null {
  return inTurn(lines).find((line) => line.alert_id !== decided && line.state !== 'draft') ?? null;
}
