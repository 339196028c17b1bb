import { expect, test } from 'vitest';
import type { Unit } from './contract.ts';
import { above, asTree, placeOf } from './tree.ts';

const unit = (unit_id: number, level: Unit['level'], parent?: number) => ({ unit_id, name: `u${unit_id}`, level, parent, liaison: '' }) as Unit;
const all = [unit(1, 'city'), unit(2, 'city'), unit(3, 'district', 1), unit(4, 'community', 3), unit(5, 'district', 99)];

test('everybody stands once, below whoever is above them', () => {
  expect(asTree(all).map(({ unit, depth }) => [unit.unit_id, depth])).toEqual([[1, 0], [3, 1], [4, 2], [2, 0], [5, 0]]);
});

test('a ring of units, which nothing can be above of, is no endless tree', () => {
  expect(asTree([unit(1, 'city', 2), unit(2, 'city', 1)])).toEqual([]);
  expect(asTree([unit(1, 'city', 1)])).toEqual([]);
});

test('only who stands higher can be above', () => expect(above(all, 'township').map(({ unit_id }) => unit_id)).toEqual([1, 2, 3, 5]));

test('a unit of the city works for all of it', () => {
  expect(placeOf('city', '500103')).toEqual({});
  expect(placeOf('district', '500103')).toEqual({ district: '500103' });
  expect(placeOf('community', '500103001001')).toEqual({ district: '500103', community: '500103001001' });
});
