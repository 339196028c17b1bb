// Other alerts that ask something of the same people, as the platform finds them.
import { data, type Schema } from '../../api/client.ts';
import { api } from '../session.svelte.ts';

export type ConflictKind = Schema['ConflictKind'];
export type Measure = Schema['Measure'];
/** A measure that an alert asks for; not `taken` where it lifts it, or says that it is not to be taken. */
export type Asked = Schema['DemandNote'];
/** How this alert's area lies to the other's. */
export type Overlap = Schema['ConflictOverlap'];
export type Conflict = Schema['AlertConflict'];
export type ConflictPage = Schema['AlertConflicts'];
/** A draft as it is being written. */
export type Drafted = Schema['BeingWritten'];

export const readConflicts = (alert: string): Promise<ConflictPage> => data(api.GET('/api/v1/alerts/{alert_id}/conflicts', { params: { path: { alert_id: alert } } }));
export const conflictsOf = (draft: Drafted): Promise<ConflictPage> => data(api.POST('/api/v1/alerts/conflicts', { body: draft }));
