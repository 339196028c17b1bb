// What the platform tells somebody of what stands against them.
import type { Schema } from '../../api/client.ts';

export type Objection = Schema['MyObjection'];
export type MyStanding = Schema['MyStanding'];
export type StandingQuestion = Schema['StandingAsked'];
export type ObjectionTaken = Schema['ObjectionTaken'];
