// What others did with an alert while it lay open on somebody's screen, and what of it is still to be decided there.
import type { AlertDetail, HistoryLine } from './contract.ts';
import type { Step } from './steps.ts';

type Line = Pick<HistoryLine, 'version' | 'action' | 'actor' | 'at' | 'reason'>;

/** The steps after the version that was opened that the reader did not take, oldest first. */
export function overtakers<T extends Line>(history: readonly T[], opened: number, me: string | undefined): T[] {
  return history.filter((line) => line.version > opened && (!line.actor || line.actor !== me)).sort((one, other) => one.version - other.version);
}

/** Whether a step that somebody is being asked about can still be taken. */
export function stillOpen(step: Step, alert: Pick<AlertDetail, 'open_actions' | 'state'>): boolean {
  if (step === 'correct') return ['approved', 'dispatching', 'active'].includes(alert.state);
  return alert.open_actions.includes(step);
}
