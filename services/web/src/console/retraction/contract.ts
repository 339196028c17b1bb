// The word that ends an alert, as the platform tells of it: withdrawn, all clear, or corrected; asked by one, confirmed by another.
import type { Schema } from '../../api/client.ts';
import type { PublicReason } from '../../words/alert.ts';
import { ask, type AlertDetail } from '../alert/contract.ts';

/** Withdrawn as false, the danger is over, or put right. */
export type RetractionKind = Schema['RetractionKind'];
export type RetractionState = Schema['RetractionState'];
export type RetractionStep = Schema['RetractionStep'];
/** What an alert's detail says of stop and retraction. */
export type Retractable = Pick<Schema['AlertDetail'], 'held_at' | 'held_by' | 'handed' | 'retraction'>;
export type PreparedWord = Schema['PreparedWord'];
/** How far people have been told. */
export type ToldOfRetraction = Schema['WordTold'];
export type Retraction = Schema['RetractionView'];
export type PlaybookPerson = Schema['PlaybookPerson'];
export type Playbook = Schema['RetractionPlaybook'];
export type RetractionView = Schema['RetractionAnswer'];
/** What waits in the caller's view, as the overview lists it. */
export type RetractionLine = Schema['OverviewRetraction'];
export type RetractionRequest = Schema['RetractionRequest'];
export type RetractionDecision = Schema['RetractionDecision'];

const at = (alert: string) => `/api/v1/alerts/${alert}/retraction`;

export const readRetraction = (alert: string, reason?: PublicReason | null) => ask<RetractionView>(reason ? `${at(alert)}?public_reason=${reason}` : at(alert));
export const readPlaybook = (alert: string) => ask<Playbook>(`/api/v1/alerts/${alert}/playbook`);

export const askForRetraction = (alert: string, body: RetractionRequest) => ask<RetractionView>(at(alert), body);

export const decideRetraction = (alert: string, body: RetractionDecision) => ask<RetractionView>(`${at(alert)}/decisions`, body);

/** One officer stops it at once, or lets it go on. */
export const stopOrResume = (alert: string, body: { action: 'stop' | 'resume'; reason: string; public_reason?: PublicReason | null }) => ask<AlertDetail>(`/api/v1/alerts/${alert}/decisions`, body);
