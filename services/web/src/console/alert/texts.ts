// The texts of an alert: in which languages, how long each may be (the platform's limits).
import type { AlertText, Language, TextField } from './contract.ts';

export const languages = ['zh-CN', 'en'] as const satisfies readonly Language[];

export const limits: Record<Language, Record<TextField, number>> = {
  'zh-CN': { headline: 40, body: 600, instruction: 300, sms: 200 },
  en: { headline: 100, body: 1500, instruction: 750, sms: 450 },
};

export function emptyText(): AlertText {
  return { headline: '', body: '', instruction: '', sms: '' };
}

/** Characters as the platform counts them: an emoji is one. */
export function length(text: string): number {
  return [...text].length;
}

/** The texts in the order of the languages. */
export function inOrder<T>(texts: Record<string, T>): [Language, T][] {
  return languages.flatMap((language): [Language, T][] => (texts[language] === undefined ? [] : [[language, texts[language]]]));
}

/** A text cut after its sentences, so that one can be pointed at without a mouse. */
export function sentences(text: string): string[] {
  return (text.match(/[^。！？；.!?;\n]+(?:[。！？；!?;]+|\.(?=\s|$)|\.|\n|$)/gu) ?? []).map((sentence) => sentence.trim()).filter(Boolean);
}
