import { expect, it } from 'vitest';
import type { AlertContent, HistoryLine } from './contract.ts';
import { earlier, worthComparing } from './versions.ts';

const said = (purpose: string) => ({ purpose }) as AlertContent;
const step = (version: number, action: string, purpose?: string) => ({ version, action, content: purpose ? said(purpose) : null }) as HistoryLine;

it('compares with what was returned, also after several edits', () => {
  const history = [step(1, 'write', 'a'), step(2, 'edit', 'b'), step(3, 'submit'), step(4, 'return_district'), step(5, 'edit', 'c'), step(6, 'edit', 'd'), step(7, 'submit')];
  expect(worthComparing(history)).toEqual({ version: 2, content: said('b') });
  expect(earlier(history).map(({ version }) => version)).toEqual([5, 2, 1]);
});

it('compares with the text before when nothing was returned', () => expect(worthComparing([step(1, 'gathered', 'a'), step(2, 'edit', 'b'), step(3, 'submit')])?.version).toBe(1));

it('compares with nothing when the text never changed', () => {
  expect(worthComparing([step(1, 'write', 'a'), step(2, 'submit')])).toBeNull();
  expect(worthComparing([step(1, 'write', 'a'), step(2, 'submit'), step(3, 'return_city')])).toBeNull();
  expect(worthComparing([])).toBeNull();
});
