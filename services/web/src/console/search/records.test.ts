import { expect, it } from 'vitest';
import { addressOf, askedOf, soughtOf } from './records.ts';

const all = soughtOf(new URLSearchParams());

it('keeps what is looked for in the address, and reads it there again', () => {
  const sought = { ...all, id: 't-3', kind: 'case', from: '2026-11-01' };
  expect(soughtOf(new URLSearchParams(addressOf(sought).split('?')[1]))).toEqual(sought);
  expect(addressOf(all)).toBe('/sources/records');
});

it('asks for an id to the letter, and for days of the city', () =>
  expect(Object.fromEntries(askedOf({ ...all, id: 'T-3', to: '2026-11-22' }))).toEqual({ id: 'T-3', to: '2026-11-22T16:00:00.000Z' }));
