import { expect, test } from 'vitest';
import type { CaseFile } from './contract.ts';
import { letterOf } from './letter.ts';

const file = (more: Partial<CaseFile>) => ({ state: 'to_decide', answer: null, steps: [], statements: [], ...more }) as CaseFile;

test('what is not decided is on no letter', () => expect(letterOf(file({ answer: { text: '草稿', decided: false } }))).toEqual({ ready: false, text: '', declined: false }));

test('what was decided is', () => expect(letterOf(file({ state: 'decided', answer: { text: '已整改', decided: true } }))).toEqual({ ready: true, text: '已整改', declined: false }));

test('a case that was not taken is answered by why', () => {
  const steps = [{ event: 'received' }, { event: 'decline', statement_id: 4 }] as CaseFile['steps'];
  const statements = [{ statement_id: 3, text: '请补充' }, { statement_id: 4, text: '属于仲裁' }] as CaseFile['statements'];
  expect(letterOf(file({ state: 'declined', steps, statements }))).toEqual({ ready: true, text: '属于仲裁', declined: true });
});
