// Records behind an alert that ended, in words.
import type { Schema } from '../../api/client.ts';
import { number, say } from '../../words/say.svelte.ts';
import type { AlertDetail } from './contract.ts';

export type Remedy = Schema['Remedy'];
export type EndedRecord = Schema['EndedRecord'];

/** The records about which nobody has decided. */
export const undecided = (alert: Pick<AlertDetail, 'ended_records'>): EndedRecord[] => alert.ended_records.filter((record) => !record.decided);

export const endedWord = (how: Schema['RecordCorrection']): string => (how === 'retract' ? say('已撤回', 'Taken back') : say('已更正', 'Corrected'));

/** What a button does about so many records. */
export function remedyWord(remedy: Remedy, records: number): string {
  const many = number(records);
  switch (remedy) {
    case 'leave_out':
      return say(`移出受众（${many} 条）`, `Take out of the audience (${many})`);
    case 'correct':
      return say(`撰写更正，不再告知他们（${many} 条）`, `Write a correction without them (${many})`);
    case 'stand':
      return say(`维持（${many} 条）`, `It stands (${many})`);
  }
}

export function decidedWord(decided: NonNullable<EndedRecord['decided']>): string {
  if (!decided.by) return say('无需处理', 'Nothing to decide');
  switch (decided.remedy) {
    case 'leave_out':
      return say('已移出受众', 'Taken out of the audience');
    case 'correct':
      return say('已撰写更正', 'A correction was written');
    case 'stand':
      return say('维持', 'It stands');
  }
}
