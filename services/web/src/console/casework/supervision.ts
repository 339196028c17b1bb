// What a supervisor looks at first: where it is late, and which unit carries how much. No I/O.
import type { DistrictLoad, Overview, UnitLoad } from './contract.ts';

export type Shown = 'late' | 'endangered' | 'open';

/** The number by which the map colours a district. */
export const coloured = (districts: readonly DistrictLoad[], shown: Shown): Record<string, number> => Object.fromEntries(districts.flatMap((one) => (one.district ? [[one.district, one[shown]]] : [])));

/** Districts with something late pulse. */
export const hot = (districts: readonly DistrictLoad[]): string[] => districts.flatMap(({ late, district }) => (late > 0 && district ? [district] : []));

/** What nobody said the place of: it is on no map. */
export const placeless = (districts: readonly DistrictLoad[]): DistrictLoad | undefined => districts.find(({ district, open }) => !district && open > 0);

/** Units in the order in which they need somebody: what is late, then what is endangered, then who carries most. */
export const unitsInTurn = (units: readonly UnitLoad[]): UnitLoad[] =>
  [...units].sort((one, other) => other.late - one.late || other.endangered - one.endangered || other.load_share - one.load_share || one.unit_id - other.unit_id);

/** Nobody waits for help longer than two minutes without an alarm. */
export const HELP_WAITS_S = 120;
export const isHelpLate = ({ urgent_waiting_s }: Pick<Overview, 'urgent_waiting_s'>): boolean => (urgent_waiting_s ?? 0) > HELP_WAITS_S;
