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
    case 'withdraw':
      return say(`撤销对其弹窗（${many} 条）`, `Withdraw it for them (${many})`);
    case 'correct':
      return say(`撰写更正，不再告知他们（${many} 条）`, `Write a correction without them (${many})`);
    case 'stand':
      return say(`维持（${many} 条）`, `It stands (${many})`);
  }
}

/** What it does to whom, and when it is right; where there is more than one thing to be done. */
export function remedyMeans(remedy: Remedy): string {
  switch (remedy) {
    case 'leave_out':
      return say('移出受众：还没有人被告知，所选记录指向的人不再告知。', 'Take out: nobody was told yet, and whom these records name is not told.');
    case 'withdraw':
      return say(
        '撤销对其弹窗：只涉及少数人、弹窗内容无误时用。已收到的人按原方式被告知“对您不再有效”，不再提醒和随访；还没收到的人不会再收到；其他人不受影响，立即生效。',
        'Withdraw for them: where few are concerned and the text is right. Who has it is told, the way they got it, that it does not hold for them, and is neither reminded nor visited; who has not does not get it. Nobody else notices. It takes effect at once.',
      );
    case 'correct':
      return say(
        '撰写更正：涉及很多人，或内容对大家都有误时用。经审核批准后，其他人会再收到更正，他们被告知原弹窗对其不再有效。',
        'Correct: where many are concerned, or the text is wrong for everybody. Once it is reviewed and approved all others get the correction, and they are told that the old one does not hold for them.',
      );
    case 'stand':
      return say('维持：对他们仍然有效，或已用其他方式告知；须写明理由。', 'It stands: it holds for them for another reason, or they were told otherwise. Say why.');
  }
}

export function decidedWord(decided: NonNullable<EndedRecord['decided']>): string {
  if (!decided.by) return say('无需处理', 'Nothing to decide');
  switch (decided.remedy) {
    case 'leave_out':
      return say('已移出受众', 'Taken out of the audience');
    case 'withdraw':
      return say('已撤销对其弹窗', 'Withdrawn for them');
    case 'correct':
      return say('已撰写更正', 'A correction was written');
    case 'stand':
      return say('维持', 'It stands');
  }
}
