// The units that deal with cases, read once and again when one turns up that is not known.
import { tongue } from '../../words/say.svelte.ts';
import { readUnits, type Unit } from './contract.ts';

let known = $state.raw<ReadonlyMap<number, Unit> | null>(null);
let asking: Promise<void> | undefined;

/** Reads them where nobody has; what fails is tried again by whoever asks next. */
export function meetUnits(): void {
  if (known) return;
  asking ??= readUnits()
    .then((all) => void (known = new Map(all.map((one) => [one.unit_id, one]))))
    .catch(() => {})
    .finally(() => (asking = undefined));
}

/** Reads them again: one was added. */
export function meetUnitsAnew(): void {
  known = null;
  meetUnits();
}

export function allUnits(): Unit[] {
  meetUnits();
  return [...(known?.values() ?? [])];
}

/** A unit's name for the reader; its number while it is not known. */
export function unitName(id: number): string {
  meetUnits();
  const one = known?.get(id);
  return one ? ((tongue() === 'en' && one.name_en) || one.name) : `#${id}`;
}
