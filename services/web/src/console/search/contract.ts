// Search over alerts and lists as files, as the platform answers them.
// TO GO: from the interface's types: each shape is `Schema['…']` once the platform's own description has it:
// Found holds FoundAlert, which knows its rule and nothing of its review; FoundRecord and FoundRecords by their names.
import type { Schema } from '../../api/client.ts';
import { ask, type AlertLine } from '../alert/contract.ts';

/** A page of what was found, newest first. */
export interface Found { alerts: AlertLine[]; next: string | null }
/** A record that was found, without whom it is about. */
export interface FoundRecord {
  record_no: number;
  source: string;
  source_id: string;
  kind: Schema['RecordKind'];
  level: Schema['RiskLevel'];
  occurred_at: string;
  received_at: string;
  area: string;
  state: 'in_force' | 'corrected' | 'retracted';
}
/** A page of records, which may be empty and name another. */
export interface FoundRecords { records: FoundRecord[]; next: number | null }
export type Format = 'csv' | 'xlsx';

export const search = (asked: URLSearchParams) => ask<Found>(`/api/v1/alerts/search?${asked}`);

export const searchRecords = (asked: URLSearchParams) => ask<FoundRecords>(`/api/v1/records/search?${asked}`);

/** Where a list lies as a file. */
export function exportOf(path: string, asked: URLSearchParams, format: Format, language: string): string {
  const query = new URLSearchParams(asked);
  query.set('format', format);
  query.set('language', language);
  return `${path}?${query}`;
}
