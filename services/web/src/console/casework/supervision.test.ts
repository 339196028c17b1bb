import { expect, test } from 'vitest';
import { coloured, hot, isHelpLate, placeless, unitsInTurn } from './supervision.ts';

const districts = [{ district: '500103', open: 9, late: 2, endangered: 1 }, { district: '500112', open: 4, late: 0, endangered: 3 }, { district: null, open: 5, late: 1, endangered: 0 }];

test('the map shows the number that was asked for, and marks where something is late', () => {
  expect(coloured(districts, 'late')).toEqual({ 500103: 2, 500112: 0 });
  expect(coloured(districts, 'open')).toEqual({ 500103: 9, 500112: 4 });
  expect(hot(districts)).toEqual(['500103']);
  expect(placeless(districts)?.late).toBe(1);
  expect(placeless(districts.slice(0, 2))).toBeUndefined();
});

test('the unit that is late comes first, then who is about to be, then who carries most', () => {
  const unit = (unit_id: number, late: number, endangered: number, load_share: number) => ({ unit_id, name: '', open: 0, late, endangered, refused: 0, load_share });
  expect(unitsInTurn([unit(1, 0, 0, 0.5), unit(2, 0, 2, 0.1), unit(3, 1, 0, 0.1), unit(4, 0, 0, 0.7)]).map(({ unit_id }) => unit_id)).toEqual([3, 2, 4, 1]);
});

test('help that waits for more than two minutes is an alarm', () => expect([isHelpLate({}), isHelpLate({ urgent_waiting_s: 120 }), isHelpLate({ urgent_waiting_s: 121 })]).toEqual([false, false, true]));
