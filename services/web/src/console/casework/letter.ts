// What an answer says on paper: the decided text and nothing before it. No I/O.
import type { CaseFile } from './contract.ts';

export interface Letter { ready: boolean; text: string; declined: boolean }

/** What is not decided is on no letter; a case that was not taken is answered by why. */
export function letterOf(file: Pick<CaseFile, 'state' | 'answer' | 'steps' | 'statements'>): Letter {
  if (file.state === 'declined') {
    const declined = file.steps.findLast(({ event }) => event === 'decline');
    const text = file.statements.find(({ statement_id }) => statement_id === declined?.statement_id)?.text ?? '';
    return { ready: text !== '', text, declined: true };
  }
  const decided = Boolean(file.answer?.decided || file.answer?.told_at);
  return { ready: decided, text: decided ? (file.answer?.text ?? '') : '', declined: false };
}
