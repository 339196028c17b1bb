// A report as it is being written on a phone, and the record it becomes.
import type { Schema } from '../../api/client.ts';
import type { IdentityKind } from '../../words/identity.ts';

export type Kind = Schema['RecordKind'];
export type NewRecord = Schema['NewRecord'];

/** What communities report about a place; the rules know `drinking_water`, everything else is a place to stay away from. */
export const hazards = ['drinking_water', 'fever_cluster', 'food', 'animals', 'other'] as const;
export type Hazard = (typeof hazards)[number];

export interface Draft {
  /** The sender's own id: a report that is sent twice counts once. */
  source_id: string;
  about: 'place' | 'person';
  kind: Kind;
  hazard: Hazard | '';
  /** Code of the area. */
  area: string;
  /** Name of the public place. */
  place: string;
  by: 'phone' | 'identity_number';
  /** Phone or identity number; never kept in the browser. */
  number: string;
  /** What kind of document the number is of, and who issued it. */
  identity_kind: IdentityKind;
  number_country: string;
  level: Schema['RiskLevel'] | '';
  /** Beijing time, `2026-11-22T19:05`. */
  when: string;
  people: string;
  /** Result of a test. */
  result: 'positive' | 'negative' | '';
  risk_area: string;
  isolation_site: string;
  note: string;
}

/** An empty report of this moment. */
export function blank(now: number, area: string): Draft {
  return {
    source_id: `report-${crypto.randomUUID()}`, about: 'place', kind: 'community_report', hazard: '', area, place: '', by: 'phone', number: '', identity_kind: 'identity_card', number_country: '', level: '',
    when: beijing(now), people: '', result: '', risk_area: '', isolation_site: '', note: '',
  };
}

/** A moment as the field for date and time takes it, on the city's clocks. */
export function beijing(at: number): string {
  return new Date(at + 8 * 3_600_000).toISOString().slice(0, 16);
}

/** The draft without what names a person, to be kept on the phone. */
export function keepable(draft: Draft): Draft {
  return { ...draft, number: '' };
}

/** What is still missing, by field. */
export function missing(draft: Draft): (keyof Draft)[] {
  const needed: (keyof Draft)[] = ['level', 'when'];
  if (draft.about === 'place') needed.push('hazard', 'area');
  else needed.push('number', 'area');
  if (isPassport(draft)) needed.push('number_country');
  // The alert tells people where not to go.
  if ((draft.about === 'place' && draft.hazard !== 'drinking_water') || draft.kind === 'place_visited') needed.push('place');
  if (draft.kind === 'test_result') needed.push('result');
  if (draft.kind === 'arrival_from_risk_area') needed.push('risk_area');
  return needed.filter((field) => !draft[field].trim());
}

const isPassport = (draft: Draft) => draft.about === 'person' && draft.by === 'identity_number' && draft.identity_kind === 'passport';

/** The record as the platform takes it. A number of people that is no number is left to the note. */
export function recordOf(draft: Draft): NewRecord {
  const said: Record<string, string | number> = {};
  const say = (name: string, value: string) => { if (value.trim()) said[name] = value.trim(); };
  if (draft.about === 'place') say('hazard', draft.hazard);
  say('place', draft.place);
  if (/^\d{1,6}$/.test(draft.people.trim())) said['people'] = Number(draft.people);
  if (draft.kind === 'test_result') say('result', draft.result);
  if (draft.kind === 'arrival_from_risk_area') say('risk_area', draft.risk_area);
  if (draft.kind === 'close_contact') say('isolation_site', draft.isolation_site);
  say('note', draft.note);
  const area = draft.area;
  const where = area.length === 12 ? { community: area } : area.length === 9 ? { township: area } : area.length === 6 ? { district: area } : {};
  const number = draft.number.replace(/\s/g, '');
  const document = { identity_number: number, identity_kind: draft.identity_kind, ...(isPassport(draft) && { number_country: draft.number_country }) };
  const subject = draft.about === 'place' ? { place: area } : draft.by === 'phone' ? { phone: number } : document;
  return {
    source_id: draft.source_id, kind: draft.kind, occurred_at: `${draft.when}:00+08:00`, subject, level: draft.level || 'low', attributes: said,
    ...(draft.about === 'place' ? {} : where),
  } as NewRecord;
}

/** The field of the form that a fault of the record is about; none for the report as a whole. */
export function fieldOf(fault: string): keyof Draft | null {
  const name = fault.replace(/^(subject|attributes)\./, '');
  if (name === 'phone' || name === 'identity_number') return 'number';
  if (name === 'identity_kind' || name === 'number_country') return name;
  if (fault.startsWith('attributes.')) return (['place', 'people', 'result', 'risk_area', 'isolation_site', 'note', 'hazard'] as const).find((field) => field === name) ?? null;
  if (['district', 'township', 'community', 'place'].includes(name)) return 'area';
  if (name === 'occurred_at') return 'when';
  return name === 'level' || name === 'kind' ? name : null;
}
