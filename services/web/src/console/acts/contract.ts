// What somebody did, out of the audit trail, for themselves.
// TO GO: from the interface's types: each shape is `Schema['…']` once the platform's own description has it: Act is OwnAct, ActPage ActsPage.
import { ask } from '../alert/contract.ts';

export interface Act { sequence: number; at: string; action: string; object_kind: string; object: string; district: number | null; detail: Record<string, unknown> }
export interface ActPage { acts: Act[]; next: number | null }

export const readActs = (before: number | null, limit: number) => ask<ActPage>(`/api/v1/session/acts?${new URLSearchParams({ limit: String(limit), ...(before === null ? {} : { before: String(before) }) })}`);
