// What the words that end an alert are called, and what is said about them.
import { publicReasonWord, type PublicReason } from '../../words/alert.ts';
import { say } from '../../words/say.svelte.ts';
import type { RetractionKind, RetractionState, RetractionStep } from './contract.ts';

const names: Record<RetractionKind, [string, string]> = {
  withdraw: ['撤回（发错了）', 'Withdraw (it was wrong)'],
  correct: ['更正', 'Correct'],
  all_clear: ['解除（情况已过）', 'All clear (it is over)'],
};
export const kindName = (kind: RetractionKind) => say(...names[kind]);

const shortNames: Record<RetractionKind, [string, string]> = { withdraw: ['撤回', 'withdrawal'], correct: ['更正', 'correction'], all_clear: ['解除', 'all-clear'] };
/** Within a sentence: `撤回`. */
export const kindShort = (kind: RetractionKind) => say(...shortNames[kind]);

const meanings: Record<RetractionKind, [string, string]> = {
  withdraw: ['收到的人会看到“不必按它行动”和下面写明的原因。', 'Whoever has it reads that they need not do what it asked, and why.'],
  correct: ['只改内容，收到的人不变。收到的人会看到更正后的内容。要发给别的人，请走完整审核。', 'The content changes, the people stay. Others are told by an alert of its own.'],
  all_clear: ['当时没有错，现在结束了。收到的人会看到可以恢复什么、还要注意什么。', 'It was right then and is over now. Whoever has it reads what they may do again.'],
};
export const kindMeans = (kind: RetractionKind) => say(...meanings[kind]);

/** Reasons for colleagues that are one press away; others are written. */
export function usualReasons(kind: RetractionKind): string[] {
  const usual: Record<RetractionKind, [string, string][]> = {
    withdraw: [],
    correct: [['地点写错', 'The place was wrong'], ['时间写错', 'The time was wrong'], ['电话或联系方式写错', 'The contact was wrong'], ['措施写错', 'The measure was wrong']],
    all_clear: [['现场核实，情况已解除', 'Checked on the spot: it is over'], ['检测合格，可以恢复', 'Tests are clear: normal again'], ['管控期满', 'The time of the measure is over']],
  };
  return usual[kind].map(([zh, en]) => say(zh, en));
}

/** What colleagues read where a withdrawal is asked for with nothing but its public reason. */
export const reasonFrom = (reason: PublicReason) => publicReasonWord(reason);

const states: Record<RetractionState, [string, string]> = {
  asked: ['等待第二人确认', 'Waits for a second officer'],
  confirmed: ['已确认发出', 'Confirmed and sent'],
  refused: ['第二人不同意', 'Refused'],
  taken_back: ['已收回', 'Taken back'],
  overtaken: ['已被别的处理取代', 'Overtaken'],
  expired: ['弹窗已到期', 'The alert expired first'],
};
export const stateName = (state: RetractionState) => say(...states[state]);

/** On the button of a step. */
export function stepName(step: RetractionStep, kind: RetractionKind): string {
  const what = kindShort(kind);
  switch (step) {
    case 'confirm':
      return say(`确认${what}，立即告知`, `Confirm the ${what}: tell everybody now`);
    case 'refuse':
      return say('不同意…', 'Refuse…');
    case 'take_back':
      return say('收回请求…', 'Take it back…');
  }
}

/** What an alert that is being ended says of it in a queue. */
export const taskName = (kind: RetractionKind) => say(`确认${kindShort(kind)}（第二人）`, `Confirm the ${kindShort(kind)} (second officer)`);

export const missingWord = (what: 'reason' | 'public_reason' | 'change') =>
  ({
    reason: say('请写明原因（给同事看）。', 'Say why, for colleagues.'),
    public_reason: say('请选择告诉居民的原因。', 'Choose what residents are told of why.'),
    change: say('请先改正有误的文字。', 'Mend the words that are wrong first.'),
  })[what];
