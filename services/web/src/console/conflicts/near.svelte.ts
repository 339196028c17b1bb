// What other alerts ask of the people a draft is for, while it is being written: asked a moment after the last change; the newest question wins.
import { ifThere, type AlertContent, type AudienceQuery } from '../alert/contract.ts';
import { sent } from '../alert/drafts.ts';
import { conflictsOf, type ConflictPage } from './contract.ts';

const PAUSE = 1200;

export interface Drafting { alert_id?: string; district: string | null; content: AlertContent; /** Null where its audience stays as it is stored, or is not chosen yet. */ query: AudienceQuery | null }

/** To be made while a component is; null as long as nothing can be asked or the platform does not answer. */
export class Near {
  found = $state.raw<ConflictPage | null>(null);

  constructor(question: () => Drafting | null) {
    $effect(() => {
      const draft = question();
      if (!draft || (!draft.query && !draft.alert_id)) {
        this.found = null;
        return;
      }
      let gone = false;
      const { alert_id, district, content, query } = draft;
      const timer = setTimeout(() => {
        ifThere(conflictsOf({ ...(alert_id ? { alert_id } : {}), district, content: sent(content), ...(query ? { audience: { query } } : {}) })).then(
          (found) => !gone && (this.found = found),
          // A draft is written without it as well; what is wrong with its content is said where it is saved.
          () => !gone && (this.found = null),
        );
      }, PAUSE);
      return () => {
        gone = true;
        clearTimeout(timer);
      };
    });
  }
}
