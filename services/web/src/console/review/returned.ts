// What changed since an alert was sent back, each in words: as the platform compared the two, put as a reader of either language reads it.
import { say } from '../../words/say.svelte.ts';
import { moment, span } from '../../words/time.svelte.ts';
import { categoryWord, certaintyWord, severityWord, urgencyWord } from '../alert/cap.ts';
import { textFields } from '../alert/contract.ts';
import { fieldWord, languageWord } from '../alert/textwords.ts';
import type { Changed } from './contract.ts';

/** One field, before and after; `only` where no more can be said than that it is another. */
export interface Line { key: string; name: string; language: string | undefined; before: string; after: string; only: boolean }

const names: Record<string, [string, string]> = {
  purpose: ['发布目的', 'Purpose'],
  contact: ['咨询方式', 'Contact'],
  expires_at: ['有效期至', 'Valid until'],
  ack_window_s: ['确认时限', 'To acknowledge within'],
  place: ['地点', 'Place'],
  display: ['公共屏幕', 'Public screens'],
  source_note: ['来源说明', 'Source'],
  category: ['类别', 'About'],
  urgency: ['紧迫程度', 'How soon'],
  severity: ['严重程度', 'How bad'],
  certainty: ['确定程度', 'How sure'],
  status: ['实际或演练', 'Live or exercise'],
  audience: ['受众', 'Who gets it'],
};

const isText = (field: string): field is (typeof textFields)[number] => (textFields as readonly string[]).includes(field);

function nameOf({ field, language }: Changed): string {
  const name = isText(field) ? fieldWord(field) : names[field] ? say(...names[field]) : field;
  return language ? `${name} · ${languageWord(language)}` : name;
}

/** A value as it is read; words of the interface in the reader's language. */
export function told(field: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  switch (field) {
    case 'expires_at':
      return moment(String(value));
    case 'ack_window_s':
      return span(Number(value) * 1000);
    case 'display':
      return value === true || value === 'true' ? say('显示', 'shown') : say('不显示', 'not shown');
    case 'status':
      return value === 'exercise' ? say('演练', 'Exercise') : say('实际', 'Live');
    case 'category':
      return categoryWord(value as Parameters<typeof categoryWord>[0]);
    case 'urgency':
      return urgencyWord(value as Parameters<typeof urgencyWord>[0]);
    case 'severity':
      return severityWord(value as Parameters<typeof severityWord>[0]);
    case 'certainty':
      return certaintyWord(value as Parameters<typeof certaintyWord>[0]);
    default:
      return typeof value === 'object' ? String((value as { name?: unknown }).name ?? JSON.stringify(value)) : String(value);
  }
}

/** What changed, in the order in which the platform tells it. */
export function lines(changed: readonly Changed[]): Line[] {
  return changed.map((one) => ({
    key: `${one.field} ${one.language ?? ''}`,
    name: nameOf(one),
    language: one.language ?? undefined,
    before: told(one.field, one.was),
    after: told(one.field, one.is),
    only: one.field === 'audience',
  }));
}
