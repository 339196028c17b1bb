// What an alert is about, how soon, how bad and how sure, in plain words (the terms of CAP 1.2).
import type { Schema } from '../../api/client.ts';
import { say } from '../../words/say.svelte.ts';

type Words<T extends string> = Record<T, [string, string]>;

const categories: Words<Schema['Category']> = {
  health: ['公共卫生', 'Public health'],
  safety: ['公共安全', 'Public safety'],
  infra: ['供水、供电、通信', 'Water, power, networks'],
  env: ['环境污染', 'Pollution'],
  met: ['气象、洪水', 'Weather, flood'],
  geo: ['地震、地质灾害', 'Earthquake, landslide'],
  fire: ['火灾', 'Fire'],
  transport: ['交通', 'Transport'],
  rescue: ['救援', 'Rescue'],
  security: ['社会治安', 'Security'],
  cbrne: ['化学、生物、放射、爆炸', 'Chemical, biological, radiological, explosive'],
  other: ['其他', 'Other'],
};
const urgencies: Words<Schema['Urgency']> = {
  immediate: ['立即行动', 'Act at once'],
  expected: ['一小时内行动', 'Act within the hour'],
  future: ['近期行动', 'Act in the near future'],
  past: ['已不需要行动', 'No longer'],
  unknown: ['不明', 'Not known'],
};
const severities: Words<Schema['Severity']> = {
  extreme: ['特别严重：大范围危及生命', 'Extreme: extraordinary threat to life'],
  severe: ['严重：明显危及生命健康', 'Severe: significant threat to life'],
  moderate: ['中等：可能危及健康', 'Moderate: possible threat'],
  minor: ['轻微：危害很小', 'Minor: little or no threat'],
  unknown: ['不明', 'Not known'],
};
const certainties: Words<Schema['Certainty']> = {
  observed: ['已经发生', 'Has happened or is happening'],
  likely: ['很可能', 'More likely than not'],
  possible: ['有可能', 'Possible, not likely'],
  unlikely: ['不太可能', 'Not expected'],
  unknown: ['不明', 'Not known'],
};

const word = <T extends string>(words: Words<T>, of: T) => say(words[of][0], words[of][1]);
const options = <T extends string>(words: Words<T>) => (Object.keys(words) as T[]).map((value) => ({ value, label: word(words, value) }));

export const categoryWord = (of: Schema['Category']) => word(categories, of);
export const urgencyWord = (of: Schema['Urgency']) => word(urgencies, of);
export const severityWord = (of: Schema['Severity']) => word(severities, of);
export const certaintyWord = (of: Schema['Certainty']) => word(certainties, of);

export const categoryOptions = () => options(categories);
export const urgencyOptions = () => options(urgencies);
export const severityOptions = () => options(severities);
export const certaintyOptions = () => options(certainties);
