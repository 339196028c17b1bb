// Search over alerts and lists as files, as the platform answers them.
// TO GO: from the interface's types: `Found` is `Schema['…']` once the platform's own description has it.
import { ask, type AlertLine } from '../alert/contract.ts';

/** A page of what was found, newest first. */
export interface Found { alerts: AlertLine[]; next: string | null }
export type Format = 'csv' | 'xlsx';

export const search = (asked: URLSearchParams) => ask<Found>(`/api/v1/alerts/search?${asked}`);

/** Where a list lies as a file. */
export function exportOf(path: string, asked: URLSearchParams, format: Format, language: string): string {
  const query = new URLSearchParams(asked);
  query.set('format', format);
  query.set('language', language);
  return `${path}?${query}`;
}
