// Which of what is told about one's own registration is shown first.
import type { OwnNotice } from './contract.ts';

/** Those that have not been read, and those that something can still be done about: they are shown first. */
export const pressing = (notices: readonly OwnNotice[]) => notices.filter((notice) => !notice.seen || notice.binding_id);
