// What a resident said, in words; what still waits to be sent stands among what was sent.
import { say } from '../words/say.svelte.ts';
import type { Said } from './contract.ts';
import type { Entry, Refusal } from './outbox.ts';

export type Shown = Pick<Said, 'alert_id' | 'headline' | 'kind' | 'text' | 'at' | 'answer' | 'answered_at'> & { standing_id?: number | null; answer_by?: string | null } & { feedback_id: number | string; unsent?: boolean; refused?: Refusal };

export function kindWord(kind: Said['kind']): string {
  const words: Record<Said['kind'], [string, string]> = { question: ['有疑问', 'A question'], unclear: ['看不明白', 'Unclear'], wrong: ['内容有误', 'Wrong'], objection: ['异议', 'Objection'] };
  return say(...words[kind]);
}

/** Feedback that waits on this device, as if it had arrived. */
export function waitingOnes(entries: readonly Entry[]): Shown[] {
  return entries.flatMap((entry): Shown[] =>
    entry.kind === 'feedback'
      ? [{
          feedback_id: entry.id, alert_id: entry.alert_id, headline: entry.headline, kind: entry.about, text: entry.text, at: new Date(entry.at).toISOString(),
          answer: null, answered_at: null, unsent: !entry.refused, ...(entry.refused && { refused: entry.refused }),
        }]
      : [],
  );
}
