// Digests as people compare them, and what a proof of delivery says: approved, sent, the same or not.
import type { ApprovalSeal, DeliveryProof, SealChannel, SentText, UnlikeApproved } from './contract.ts';

/** Enough of a digest to compare by eye, in groups of four: `3f9a 02bd 77c1`. */
export function short(digest: string): string {
  return digest.slice(0, 12).replace(/(.{4})(?=.)/g, '$1 ');
}

const channels: readonly SealChannel[] = ['app', 'sms', 'display'];

/** What was approved for each language and channel, with what has left of it where that is known. */
export function rows(seal: ApprovalSeal, proof: DeliveryProof | null): SentText[] {
  return seal.texts.flatMap(({ language, app, sms, screen }) =>
    channels.map((channel): SentText => {
      const sent = proof?.texts.find((text) => text.language === language && text.channel === channel);
      return sent ?? { language, channel, approved: { app, sms, display: screen }[channel], sent: null, sent_at: null, same: null };
    }),
  );
}

export type Verdict = 'same' | 'differs' | 'not_yet';

/** What a proof says of all that has left: one difference is a difference. */
export function verdict(texts: readonly Pick<SentText, 'same'>[]): Verdict {
  if (texts.some(({ same }) => same === false)) return 'differs';
  return texts.some(({ same }) => same === true) ? 'same' : 'not_yet';
}

/** The number of people that would be sent to, where that alone is why it is held. */
export function plannedOf(unlike: UnlikeApproved): { approved: number | null; planned: number } | null {
  const people = unlike.parts.find(({ part }) => part === 'people');
  if (!unlike.may_go_on || !people) return null;
  const approved = Number(people.approved);
  return { approved: people.approved.trim() && Number.isFinite(approved) ? approved : null, planned: Number(people.found) };
}
