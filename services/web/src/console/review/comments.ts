// Comments as they are read: a remark with its replies, what is still open first.
import type { Comment } from './contract.ts';

export interface Thread { first: Comment; replies: Comment[] }

/** So many characters a comment may have. */
export const LENGTH = 1000;

/** The remarks with their replies in the order in which they were made; what is resolved comes after what is open. */
export function threads(comments: readonly Comment[]): Thread[] {
  const inTime = [...comments].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  return inTime
    .filter(({ reply_to }) => !reply_to)
    .map((first) => ({ first, replies: inTime.filter(({ reply_to }) => reply_to === first.comment_id) }))
    .sort((one, other) => Number(!!one.first.resolved_at) - Number(!!other.first.resolved_at));
}

/** Whom the comments name. */
export function people(comments: readonly Comment[]): string[] {
  return [...new Set(comments.flatMap(({ by, resolved_by }) => (resolved_by ? [by, resolved_by] : [by])))];
}

/** The words that are commented on and still stand there, to be marked in the texts. */
export function marked(comments: readonly Comment[]): NonNullable<Comment['passage']>[] {
  return comments.flatMap(({ passage, stands, resolved_at, reply_to }) => (passage && stands && !resolved_at && !reply_to ? [passage] : []));
}

/** Whether this may be sent as a comment. */
export function sayable(text: string): boolean {
  const said = text.trim();
  return said.length > 0 && [...said].length <= LENGTH;
}
