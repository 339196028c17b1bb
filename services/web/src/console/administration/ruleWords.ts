// What the parts of a rule are called.
import type { Schema } from '../../api/client.ts';
import { say } from '../../words/say.svelte.ts';
import { kindWord, levelWord, originWord } from '../sources/record.ts';

export type Kept = Schema['KeptVersion'];

export function audienceWord(audience: Schema['RuleAudience']): string {
  const words: Record<Schema['RuleAudience'], [string, string]> = {
    subject: ['记录所涉及的本人', 'The person whom the record is about'],
    subject_township: ['对象所在街道（乡镇）的所有居民', 'Everybody in the township of the person or place'],
    subject_community: ['对象所在社区（村）的所有居民', 'Everybody in the community of the person or place'],
    record_district: ['负责区县的所有居民', 'Everybody in the district that handles it'],
  };
  return say(...words[audience]);
}

export function urgencyWord(urgency: Schema['Urgency']): string {
  const words: Record<string, [string, string]> = {
    Immediate: ['立即行动', 'Act at once'], immediate: ['立即行动', 'Act at once'],
    Expected: ['尽快行动', 'Act soon'], expected: ['尽快行动', 'Act soon'],
    Future: ['将来行动', 'Act later'], future: ['将来行动', 'Act later'],
    Past: ['已不需行动', 'No longer needed'], past: ['已不需行动', 'No longer needed'],
    Unknown: ['未知', 'Unknown'], unknown: ['未知', 'Unknown'],
  };
  const found = words[urgency];
  return found ? say(...found) : urgency;
}

/** A field of a condition or a variable of a text. */
export function ruleFieldWord(name: string): string {
  const words: Record<string, [string, string]> = {
    kind: ['类型', 'kind'], origin: ['来源类别', 'origin'], level: ['风险等级', 'level'], district: ['区县', 'district'], township: ['街道（乡镇）', 'township'],
    community: ['社区（村）', 'community'], occurred_at: ['发生时间', 'time'], age_hours: ['发生至今的小时数', 'hours since'], city: ['城市', 'city'], date: ['日期', 'date'],
    'attributes.result': ['检测结果', 'test result'], 'attributes.hazard': ['危害类型', 'hazard'], 'attributes.place': ['场所', 'place'], place: ['场所', 'place'],
    isolation_site: ['隔离地点', 'isolation site'], test_site: ['检测地点', 'test site'], risk_area: ['风险地区', 'risk area'],
  };
  const found = words[name];
  return found ? say(...found) : name.replace(/^attributes\./, '');
}

/** A value that a condition compares with. */
export function ruleValueWord(field: string, value: string): string {
  if (field === 'kind') return kindWord(value);
  if (field === 'level') return levelWord(value);
  if (field === 'origin') return originWord(value);
  const words: Record<string, [string, string]> = { positive: ['阳性', 'positive'], negative: ['阴性', 'negative'], drinking_water: ['饮用水', 'drinking water'] };
  const found = words[value];
  return found ? say(...found) : value;
}

/** A text cut at its variables: `请到{test_site}检测`. */
export function pieces(text: string): { variable: boolean; text: string }[] {
  return text.split(/(\{[a-z_]+\})/).filter(Boolean).map((piece) => (/^\{[a-z_]+\}$/.test(piece) ? { variable: true, text: piece.slice(1, -1) } : { variable: false, text: piece }));
}
