// What returns are most often about, ready to be taken over and completed.
import { say } from '../../words/say.svelte.ts';

const ready: readonly [zh: string, en: string][] = [
  ['缺少咨询方式', 'It does not say whom to ask'],
  ['地点或日期不明确', 'Place or date is not clear'],
  ['措施居民做不到', 'Residents cannot do what it asks'],
  ['受众超过必要范围', 'The audience is larger than needed'],
  ['来源不清楚', 'Its source is not clear'],
  ['文字与来源记录不一致', 'The text does not agree with the records'],
];

/** In the reader's language. */
export const readyReasons = (): string[] => ready.map((words) => say(...words));

/** The reason with one more taken over; nothing is said twice. */
export function withReason(reason: string, taken: string): string {
  const said = reason.trim();
  if (said.split('\n').includes(taken)) return reason;
  return said ? `${said}\n${taken}` : taken;
}
