// Search over alerts and lists as files, as the platform answers them.
import type { Schema } from '../../api/client.ts';
import { ask } from '../alert/contract.ts';

/** A page of what was found, newest first. */
export type Found = Schema['FoundAlerts'];
/** A record that was found, without whom it is about. */
export type FoundRecord = Schema['FoundRecord'];
/** A page of records, which may be empty and name another. */
export type FoundRecords = Schema['FoundRecords'];
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
