// The urgent push under the officer's hands: kept in the tab with every change, so that neither a reload nor an error loses a word, and
// handed in at most once however often the button is pressed or the network fails in between.
import { data, Problem, type Schema } from '../../api/client.ts';
import { ready } from '../alert/audience.ts';
import { decide, type Caution } from '../review/contract.ts';
import { api } from '../session.svelte.ts';
import type { Template, Texts } from './templates.ts';

export type Query = Schema['AudienceQuery'];
export interface UrgentDraft {
  /** Chosen before anything else; nothing is assumed. */
  kind: 'actual' | 'exercise' | null;
  template: string | null;
  texts: Texts;
  category: Schema['Category'];
  severity: Schema['Severity'];
  certainty: Schema['Certainty'];
  purpose: string;
  contact: string;
  source: string;
  display: boolean;
  /** Hours that it is true, minutes to acknowledge. */
  hours: string;
  minutes: string;
  where: 'map' | 'attributes';
  districts: string[];
  query: Query;
  /** What the platform has of it already. */
  stored: { id: string; version: number; said: string } | null;
  /** Handed in: waits for the second officer. */
  handedIn: string | null;
}

const emptyText = () => ({ headline: '', body: '', instruction: '', sms: '' });
export const blankDraft = (): UrgentDraft => ({
  kind: null, template: null, texts: { 'zh-CN': emptyText(), en: emptyText() }, category: 'health', severity: 'severe', certainty: 'observed', purpose: '',
  contact: '卫生健康热线 12320', source: '', display: true, hours: '12', minutes: '30', where: 'map', districts: [], query: { include: [], exclude: [] }, stored: null, handedIn: null,
});

/** For whom it is, or null while nobody is named. */
export function audienceOf(draft: UrgentDraft): Query | null {
  if (draft.where === 'map') return draft.districts.length ? { include: [{ areas: draft.districts, industries: [], languages: [] }], exclude: [] } : null;
  return ready(draft.query);
}

/** Whether there is anything to lose. */
export const isBegun = (draft: UrgentDraft) => Object.values(draft.texts).some((text) => Object.values(text).some(Boolean));

export class Urgent {
  draft = $state<UrgentDraft>(blankDraft());
  #key: string;
  #busy = false;

  constructor(officer: string) {
    this.#key = `fenghuo.urgent.${officer}`;
    try {
      const kept = sessionStorage.getItem(this.#key);
      if (kept) this.draft = { ...blankDraft(), ...(JSON.parse(kept) as Partial<UrgentDraft>) };
    } catch {
      // What cannot be read any more is begun anew.
    }
    $effect(() => {
      const kept = JSON.stringify(this.draft);
      try {
        sessionStorage.setItem(this.#key, kept);
      } catch {
        // A page that may keep nothing still works until it is closed.
      }
    });
  }

  take(template: Template): void {
    Object.assign(this.draft, { template: template.id, texts: structuredClone(template.texts), category: template.category, severity: template.severity, purpose: template.purpose });
  }

  startAnew(): void {
    this.draft = blankDraft();
  }

  /** Another text after a refusal of the second officer: the same alert, to be changed and handed in again. */
  takeUpAgain(): void {
    this.draft.handedIn = null;
  }

  content(now: number): Schema['AlertContent'] {
    const { draft } = this;
    const texts = Object.fromEntries(Object.entries(draft.texts).filter(([language, text]) => language === 'zh-CN' || Object.values(text).some((line) => line.trim())));
    return {
      status: draft.kind ?? 'exercise', msg_type: 'alert', references: null, category: draft.category, urgency: 'immediate', severity: draft.severity,
      certainty: draft.certainty, purpose: draft.purpose.trim(), texts, contact: draft.contact.trim(),
      expires_at: new Date(Math.ceil((now + Number(draft.hours) * 3_600_000) / 60_000) * 60_000).toISOString(), ack_window_s: Number(draft.minutes) * 60,
      place: null, display: draft.display, source_note: draft.source.trim(),
    };
  }

  /** Stores and hands in. After a failure in between the next call goes on where this one stopped: nothing is written or handed in twice. */
  async handIn(now: number, known: Caution[] = []): Promise<void> {
    if (this.#busy || this.draft.handedIn) return;
    const query = audienceOf(this.draft);
    if (!query || !this.draft.kind) return;
    this.#busy = true;
    try {
      const content = this.content(now);
      const said = JSON.stringify({ content: { ...content, expires_at: this.draft.hours }, query });
      const id = await this.#store(content, query, said);
      await this.#compose(id, known);
      this.draft.handedIn = id;
    } finally {
      this.#busy = false;
    }
  }

  async #store(content: Schema['AlertContent'], query: Query, said: string): Promise<string> {
    const { stored } = this.draft;
    if (stored?.said === said) return stored.id;
    try {
      const detail = stored
        ? await data(api.PUT('/api/v1/alerts/{alert_id}', { params: { path: { alert_id: stored.id } }, body: { version: stored.version, content, audience: { query } } }))
        : await data(api.POST('/api/v1/alerts', { body: { content, audience: { query } } }));
      this.draft.stored = { id: detail.alert_id, version: detail.version, said };
      return detail.alert_id;
    } catch (thrown) {
      // Somebody else has taken the stored draft over: the next try is an alert of its own.
      if (stored && thrown instanceof Problem && (thrown.status === 409 || thrown.status === 404)) this.draft.stored = null;
      throw thrown;
    }
  }

  async #compose(id: string, known: Caution[]): Promise<void> {
    const version = this.draft.stored?.version ?? 0;
    try {
      const detail = await decide(id, { version, action: 'compose_urgent', ...(known.length ? { known } : {}) });
      this.#keep(detail);
    } catch (thrown) {
      // The answer to an earlier try may have been lost on its way: then it waits for the second officer already.
      const now = await this.#asItIs(id);
      if (now && now.state !== 'draft' && now.class === 'urgent') return;
      if (now && thrown instanceof Problem && thrown.status === 409) this.#keep(now);
      throw thrown;
    }
  }

  #keep(detail: Schema['AlertDetail']): void {
    if (this.draft.stored) this.draft.stored.version = detail.version;
  }

  async #asItIs(id: string): Promise<Schema['AlertDetail'] | null> {
    return data(api.GET('/api/v1/alerts/{alert_id}', { params: { path: { alert_id: id } } })).catch(() => null);
  }

  /** The platform's newest version of what is stored: after the second officer declined it. */
  follow(detail: Schema['AlertDetail']): void {
    this.#keep(detail);
  }
}
