// The platform's types that the pages of communities show.
import type { Schema } from '../../api/client.ts';

/** TO GO: an objection, its deadline and whose answer it is are the platform's own once its description has them. */
export type FeedbackRow = Omit<Schema['Feedback'], 'kind'> & { kind: Schema['Feedback']['kind'] | 'objection'; standing_id?: number | null; answer_by?: string | null; yours_to_answer?: boolean };
export type FollowUp = Schema['FollowUp'];
export type Outcome = Schema['VisitOutcome'];
