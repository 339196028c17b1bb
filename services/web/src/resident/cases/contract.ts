// What the platform tells somebody of what they brought.
import type { Schema } from '../../api/client.ts';

/** What citizens themselves can do with a case. */
export type CitizenEvent = Extract<Schema['CaseEvent'], 'supplement' | 'chase' | 'satisfied' | 'not_satisfied' | 'withdraw'>;
export type NewCase = Schema['CaseRequest'];
export type CaseTaken = Schema['CaseTaken'];
export type CitizenLine = Schema['CitizenLine'];
export type CitizenDue = Schema['CitizenDue'];
export type CitizenCase = Schema['CitizenCase'];
