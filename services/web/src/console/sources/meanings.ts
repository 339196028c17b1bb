// What a column of a list can mean, as a choice in words.
import type { Schema } from '../../api/client.ts';
import { say } from '../../words/say.svelte.ts';
import { fieldWord } from './record.ts';

const FIELDS: readonly string[] = [
  'source_id', 'kind', 'occurred_at', 'level', 'phone', 'identity_number', 'identity_kind', 'number_country', 'resident_no', 'place', 'district', 'township', 'community', 'origin', 'correction', 'correction_reason',
];
const ATTRIBUTES: readonly string[] = ['isolation_site', 'test_site', 'place', 'risk_area', 'result', 'hazard', 'note'];

/** What a column can mean: what it is taken for first, then every field, what texts can name, and nothing. */
export function meanings(column: Schema['ColumnView']): string[] {
  const known = [...FIELDS, ...ATTRIBUTES.map((name) => `attributes.${name}`), '-'];
  return column.meaning && !known.includes(column.meaning) ? [column.meaning, ...known] : known;
}

export function meaningWord(meaning: string): string {
  if (meaning === '-') return say('不保留此列', 'Not kept');
  if (!meaning.startsWith('attributes.')) return fieldWord(meaning);
  const name = meaning.slice('attributes.'.length);
  const words: Record<string, string> = {
    isolation_site: say('隔离地点', 'Isolation site'),
    test_site: say('检测地点', 'Test site'),
    place: say('场所名称', 'Name of a place'),
    risk_area: say('风险地区', 'Risk area'),
    result: say('检测结果', 'Result'),
    hazard: say('危害因素', 'Hazard'),
    note: say('备注', 'Note'),
  };
  return words[name] ?? say(`属性 ${name}`, `attribute ${name}`);
}
