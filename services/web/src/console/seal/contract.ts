// What was approved, as the platform sealed it, and whether that is what left.
import { data, type Schema } from '../../api/client.ts';
import { api } from '../session.svelte.ts';

/** SHA-256, as 64 hexadecimal digits. */
export type Digest = Schema['Digest'];
export type SealChannel = Schema['Channel'];
export type ApprovalSeal = Schema['ApprovalSeal'];
export type SentText = Schema['ProvenText'];
export type DeliveryProof = Schema['DeliveryProof'];
export type UnlikePart = Schema['UnlikeNote'];
/** Sending is held: what would leave is not what was approved. */
export type UnlikeApproved = Schema['UnlikeApproved'];

/** Lets what is held for its number of people go on, by the number that is planned. */
export const goOn = (alert: string, body: Schema['GoOn']) => data(api.POST('/api/v1/alerts/{id}/delivery/go-on', { params: { path: { id: alert } }, body }));
