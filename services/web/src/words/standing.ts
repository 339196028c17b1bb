// What stands against a person, in words: where it comes from, what lifts it and who may, and how it was lifted.
import type { Schema } from '../api/client.ts';
import { say, tongue, type Tongue } from './say.svelte.ts';

/** A text in the languages of the city; Chinese and English are always there. */
export type InTongues = Record<string, string>;

/** The text in the reader's language. */
export function inTongue(texts: InTongues, of: Tongue = tongue()): string {
  return texts[of] || texts['zh-CN'] || Object.values(texts)[0] || '';
}

export type Lifter = Schema['StandingLifter'];
export type How = Schema['StandingLiftedHow'];

/** A record behind it, without what is in it. */
export type Evidence = Schema['StandingEvidence'];
export type LiftedBy = Schema['StandingLiftedBy'];

const lifters: Record<Lifter, [string, string]> = { community: ['所在社区', 'the community'], district: ['所在区县', 'the district'], city: ['市级指挥部', 'the city command'] };
export const lifterWord = (who: Lifter) => say(...lifters[who]);
/** As the person themselves reads it. */
export const ownLifterWord = (who: Lifter) => say(lifters[who][0], lifters[who][1].replace(/^the (?!city)/, 'your '));

const hows: Record<How, [string, string]> = {
  record: ['符合条件的结果到达，自动解除', 'Lifted by a result that met the condition'],
  decision: ['工作人员核实后解除', 'Lifted by staff after checking'],
  time: ['期限已到', 'Its time was over'],
  alert_withdrawn: ['提醒被撤回', 'The alert was withdrawn'],
  withdrawn_for_person: ['提醒经核实与本人无关', 'The alert was found not to be about this person'],
  evidence_ended: ['依据的记录被来源更正或撤回', 'The record behind it was corrected or taken back'],
};
export const howWord = (how: How) => say(...hows[how]);

const evidence: Record<string, [string, string]> = {
  test_result: ['检测结果', 'A test result'],
  case: ['病例报告', 'A report of a case'],
  close_contact: ['密切接触记录', 'A record of close contact'],
  secondary_contact: ['次密切接触记录', 'A record of secondary contact'],
  place_visited: ['到访风险场所的记录', 'A record of a visit to a risk place'],
  arrival_from_risk_area: ['自风险地区抵达的记录', 'A record of arrival from a risk area'],
  analysis_finding: ['数据分析结果', 'A finding of an analysis'],
  community_report: ['社区（村）上报', 'A report of a community'],
};
export const evidenceWord = (kind: string | null | undefined) => {
  const found = kind ? evidence[kind] : undefined;
  return found ? say(...found) : say('一条记录', 'A record');
};

/** Where a record comes from: a source by its name; of a person who entered it no more than that they did. */
export const sourceWord = (source: string) => (source.startsWith('staff:') ? say('工作人员报送', 'entered by staff') : source);

/** How far the samples that lift it have come: `已有 1 次，还差 1 次`; empty where one is enough. */
export function countWord({ times, counted }: Pick<LiftedBy, 'times' | 'counted'>): string {
  if (times <= 1) return '';
  const left = Math.max(0, times - counted);
  return say(`已有 ${counted} 次，还差 ${left} 次。`, `${counted} of ${times} so far.`);
}
