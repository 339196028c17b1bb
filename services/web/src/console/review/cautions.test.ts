import { expect, test } from 'vitest';
import type { Step } from '../alert/steps.ts';
import { isAskedOf } from './cautions.ts';
import type { Caution } from './contract.ts';

test.each<[Caution, Step, boolean]>([
  ['reaches_nobody', 'approve', true],
  ['reaches_nobody', 'pass_district', false],
  ['contradicts_another', 'confirm', true],
  ['contradicts_another', 'return_city', false],
  ['open_comments', 'submit', true],
  ['open_comments', 'pass_district', true],
  ['open_comments', 'return_district', false],
  ['claimed_by_other', 'return_district', true],
  ['claimed_by_other', 'submit', false],
  ['claimed_by_other', 'cancel', false],
])('%s is asked of %s: %s', (caution, step, asked) => expect(isAskedOf(caution, step)).toBe(asked));
