// Which columns a list of alerts has: chosen by whoever reads it, kept in this browser for their account.
import { say } from '../../words/say.svelte.ts';

export const columns = ['code', 'state', 'district', 'class', 'created', 'changed', 'approved', 'expires'] as const;
export type Column = (typeof columns)[number];

/** What a list shows before anybody has chosen. */
export const usual: readonly Column[] = ['code', 'state', 'district', 'changed'];

const words: Record<Column, [string, string]> = {
  code: ['短码', 'Code'],
  state: ['状态', 'State'],
  district: ['区县', 'District'],
  class: ['类型', 'Class'],
  created: ['撰写', 'Written'],
  changed: ['最近变化', 'Changed'],
  approved: ['批准', 'Approved'],
  expires: ['有效期至', 'Valid until'],
};
export const columnWord = (column: Column) => say(...words[column]);

/** The columns that were kept, in the order in which lists show them; the usual ones where nothing sensible was. */
export function read(kept: string | null): Column[] {
  try {
    const said: unknown = JSON.parse(kept ?? 'null');
    if (!Array.isArray(said)) return [...usual];
    return columns.filter((column) => said.includes(column));
  } catch {
    return [...usual];
  }
}

export function toggled(chosen: readonly Column[], column: Column): Column[] {
  return columns.filter((one) => (one === column ? !chosen.includes(one) : chosen.includes(one)));
}
