import { expect, it } from 'vitest';
import { asTyped, fromTyped } from './citytime.ts';

it('shows and reads the time of the city', () => {
  expect(asTyped('2026-11-22T16:30:00Z')).toBe('2026-11-23T00:30');
  expect(fromTyped('2026-11-23T00:30')).toBe('2026-11-22T16:30:00.000Z');
});

it('does not make up times', () => {
  expect(fromTyped('')).toBeNull();
  expect(fromTyped('2026-11-23')).toBeNull();
  expect(asTyped('never')).toBe('');
});
