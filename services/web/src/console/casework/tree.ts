// The units as a tree: who stands below whom, and who can stand above. No I/O.
import type { Unit } from './contract.ts';

/** From the city down. */
export const levels = ['city', 'district', 'township', 'community'] as const satisfies readonly Unit['level'][];

/** Every unit once, each below the one above it; one whose superior is not among them stands at the top. */
export function asTree(units: readonly Unit[]): { unit: Unit; depth: number }[] {
  const known = new Set(units.map(({ unit_id }) => unit_id));
  const below = new Map<number, Unit[]>();
  for (const unit of units) {
    const parent = unit.parent && known.has(unit.parent) ? unit.parent : 0;
    below.set(parent, [...(below.get(parent) ?? []), unit]);
  }
  const seen = new Set<number>();
  const walk = (parent: number, depth: number): { unit: Unit; depth: number }[] =>
    (below.get(parent) ?? []).flatMap((unit) => {
      if (seen.has(unit.unit_id)) return [];
      seen.add(unit.unit_id);
      return [{ unit, depth }, ...walk(unit.unit_id, depth + 1)];
    });
  return walk(0, 0);
}

/** Units that can stand above one of this level. */
export const above = (units: readonly Unit[], level: Unit['level']): Unit[] => units.filter((unit) => levels.indexOf(unit.level) < levels.indexOf(level));

/** For which area a unit of a level works; the city's works for all. */
export function placeOf(level: Unit['level'], area: string): { district?: string; community?: string } {
  if (level === 'city' || area.length < 6) return {};
  return { district: area.slice(0, 6), ...(area.length === 12 && { community: area }) };
}
