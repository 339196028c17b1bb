// What is drawn and noted of a source's health.
import type { Schema } from '../../api/client.ts';

export type Health = Schema['SourceHealth'];

/** Whether clearly more is refused than before. */
export const refusesMore = (source: Pick<Health, 'refused_lately' | 'refused_before'>): boolean =>
  source.refused_lately != null && source.refused_lately >= 0.05 && source.refused_lately > 2 * (source.refused_before ?? 0);

/** The bars of a chart of so many units in height, each from its top: taken below, refused above. */
export function bars(days: readonly { taken: number; refused: number }[], height: number): { taken: number; refused: number }[] {
  const most = Math.max(1, ...days.map((day) => day.taken + day.refused));
  return days.map((day) => ({ taken: (day.taken / most) * height, refused: (day.refused / most) * height }));
}
