// What reviewers made sure of before checklists were answered item by item: the marks of those steps stand in histories by these names.
import { say } from '../../words/say.svelte.ts';

const checks: Record<string, [string, string]> = {
  complete: ['信息完整：对象、事由、要求、咨询方式都有', 'Complete: who, what, what to do, whom to ask'],
  accurate: ['内容准确：与来源记录一致', 'Accurate: agrees with the records behind it'],
  source_known: ['来源清楚、可追溯', 'The source is known and can be traced'],
  measure_reasonable: ['措施合理，居民做得到', 'The measure is reasonable and can be followed'],
  audience_needed: ['受众不超过必要范围', 'The audience is no larger than needed'],
  compliant: ['合法合规，有明确的管控目的', 'Lawful and compliant, with a stated purpose'],
  no_personal_data: ['没有个人信息', 'No personal data in the texts'],
  true_emergency: ['情况属实，确需紧急推送', 'It is real and needs an urgent push'],
};

/** A mark as a history shows it. */
export function checkWord(name: string): string {
  const words = checks[name];
  return words ? say(...words) : name;
}
