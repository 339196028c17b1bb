// The platform's types that the pages of communities show.
import type { Schema } from '../../api/client.ts';

export type FeedbackRow = Schema['Feedback'];
export type FollowUp = Schema['FollowUp'];
export type Outcome = Schema['VisitOutcome'];
