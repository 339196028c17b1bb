// A draft while it is written: how a new one begins, and how it survives a reload or a failed save in this window.
import type { AlertContent, AudienceQuery } from './contract.ts';
import { emptyText } from './texts.ts';

export interface Writing { content: AlertContent; query: AudienceQuery; /** Empty: the whole city, or several districts. */ district: string }

const DAY = 86_400_000;

/** An empty routine alert. */
export function begun(now: number, district: string): Writing {
  return {
    content: {
      status: 'actual', msg_type: 'alert', references: null, category: 'health', urgency: 'expected', severity: 'moderate', certainty: 'observed',
      purpose: '', texts: { 'zh-CN': emptyText(), en: emptyText() }, contact: '', expires_at: new Date(Math.ceil((now + DAY) / 3_600_000) * 3_600_000).toISOString(),
      ack_window_s: 7200, place: null, display: false, source_note: '',
    },
    query: { include: [{ areas: district ? [district] : [], industries: [], languages: [] }], exclude: [] },
    district,
  };
}

/** The content as it is sent: a language nobody wrote anything in is left out, so is a place without a name. */
export function sent(content: AlertContent): AlertContent {
  const texts = Object.fromEntries(Object.entries(content.texts).filter(([language, text]) => language === 'zh-CN' || Object.values(text).some((part) => part.trim())));
  return { ...content, texts, place: content.place?.name.trim() || content.place?.area ? content.place : null };
}

const key = (name: string) => `fenghuo.writing.${name}`;

/** Keeps what is being written, with the version it is based on. */
export function keep(name: string, version: number, writing: Writing): void {
  try {
    sessionStorage.setItem(key(name), JSON.stringify({ version, writing }));
  } catch {
    // A window that may keep nothing loses it only on a reload.
  }
}

export function kept(name: string): { version: number; writing: Writing } | null {
  try {
    return JSON.parse(sessionStorage.getItem(key(name)) ?? 'null') as { version: number; writing: Writing } | null;
  } catch {
    return null;
  }
}

export function forget(name: string): void {
  try {
    sessionStorage.removeItem(key(name));
  } catch {
    // Nothing was kept.
  }
}
