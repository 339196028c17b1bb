// What a reviewer makes sure of before an alert goes on (CQ8): the district whether it is complete and accurate, the city
// whether it may be done and is reasonable. The marks are kept in the alert's history by these names.
import { say } from '../../words/say.svelte.ts';
import type { Action } from '../../words/alert.ts';

export interface Check { name: string; question: string }

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

const asked: Partial<Record<Action, string[]>> = {
  pass_district: ['complete', 'accurate', 'source_known', 'measure_reasonable', 'audience_needed'],
  approve: ['compliant', 'measure_reasonable', 'audience_needed', 'source_known', 'no_personal_data'],
  confirm: ['true_emergency', 'measure_reasonable', 'audience_needed', 'no_personal_data'],
};

/** What to make sure of before this step; nothing for other steps. */
export function checklist(action: Action | undefined): Check[] {
  return (action ? (asked[action] ?? []) : []).map((name) => ({ name, question: checkWord(name) }));
}

/** A mark as a history shows it. */
export function checkWord(name: string): string {
  const words = checks[name];
  return words ? say(...words) : name;
}
