// What somebody at the console can do about an alert that people have, and how far the word about it is. The platform decides what is open
// to whom; here stands what of it is offered where.
import type { Role } from '../../words/alert.ts';
import type { AlertContent, AlertDetail } from '../alert/contract.ts';
import { textFields } from '../alert/contract.ts';
import { mayWrite } from '../alert/steps.ts';
import type { Retractable, Retraction, RetractionKind, RetractionStep, RetractionView, ToldOfRetraction } from './contract.ts';

/** The kinds in the order of haste. */
export const kinds: readonly RetractionKind[] = ['withdraw', 'correct', 'all_clear'];

type Shown = Pick<AlertDetail, 'state' | 'open_actions'> & Retractable;

const opens = (alert: Shown, action: string) => (alert.open_actions as readonly string[]).includes(action);

/** Whether somebody may ask for an alert to be ended: whoever wrote it may not, those who decide about it may. */
export function mayEnd(role: Role, scope: string, alert: Pick<AlertDetail, 'district'>): boolean {
  return role !== 'submitting_unit' && mayWrite(role, scope, alert);
}

/** What stands beside an alert that was approved. */
export interface Offer {
  stop: boolean;
  resume: boolean;
  /** Its words are one press away: to be asked for, to be decided, or to be read. */
  words: 'ask' | 'decide' | 'look' | null;
}

/** What is offered beside the alert to somebody who may `write` in its area. */
export function offerOf(alert: Shown, write: boolean): Offer {
  const sent = ['approved', 'dispatching', 'active'].includes(alert.state);
  const decides = alert.retraction?.open_steps.some((step) => step !== 'take_back') ?? false;
  return {
    stop: opens(alert, 'stop'),
    resume: opens(alert, 'resume') && !alert.retraction,
    words: alert.retraction ? (decides ? 'decide' : 'look') : sent && write && alert.handed !== false ? 'ask' : null,
  };
}

/** Which kind is shown first: what was asked for by the address, if it may be asked for; else the first that may. */
export function firstKind(view: Pick<RetractionView, 'may_ask' | 'prepared'>, wanted: string | null): RetractionKind | null {
  const open = kinds.filter((kind) => view.may_ask.includes(kind) && view.prepared.some((word) => word.kind === kind));
  return open.find((kind) => kind === wanted) ?? open[0] ?? null;
}

/** Whether a correction says anything else than the alert that it corrects. */
export function saysOtherwise(before: AlertContent, after: AlertContent): boolean {
  const languages = new Set([...Object.keys(before.texts), ...Object.keys(after.texts)]);
  const texts = [...languages].some((language) => textFields.some((field) => (before.texts[language]?.[field] ?? '') !== (after.texts[language]?.[field] ?? '')));
  return texts || before.contact !== after.contact || before.expires_at !== after.expires_at || JSON.stringify(before.place ?? null) !== JSON.stringify(after.place ?? null);
}

/** Why it cannot be asked for yet; null where it can. */
export function missing(ask: { kind: RetractionKind; reason: string; publicReason: string; changed: boolean }): 'reason' | 'public_reason' | 'change' | null {
  if (ask.kind === 'withdraw' && !ask.publicReason) return 'public_reason';
  if (ask.kind === 'correct' && !ask.changed) return 'change';
  return ask.reason.trim().length > 1 ? null : 'reason';
}

/** The buttons under a word that waits, first things first; taking back is its asker's. */
export function stepsOf(retraction: Pick<Retraction, 'open_steps'>): RetractionStep[] {
  return (['confirm', 'refuse', 'take_back'] as const).filter((step) => retraction.open_steps.includes(step));
}

/** Whether the reader is the one who asked and therefore waits for somebody else. */
export function waitsForOthers(retraction: Pick<Retraction, 'open_steps'>): boolean {
  return !retraction.open_steps.includes('confirm');
}

/** How far people have been told, 0 to 1; null where nothing is known yet. */
export function shareTold(told: ToldOfRetraction | null): number | null {
  if (!told || !told.people) return null;
  return Math.min(1, (told.handed_over + told.unreachable) / told.people);
}

/** The confirmed word that people are being told, or were told last. */
export function lastWord(view: Pick<RetractionView, 'earlier'>): Retraction | null {
  return view.earlier.find(({ state }) => state === 'confirmed') ?? null;
}
