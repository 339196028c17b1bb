// What screens are called, and which of them needs somebody to go and look.
import type { Schema } from '../../api/client.ts';
import { say } from '../../words/say.svelte.ts';

export type Screen = Schema['Screen'];

export const languageWord = (language: string) => (language === 'zh-CN' ? say('中文', 'Chinese') : language === 'en' ? say('英文', 'English') : language);
export const formWord = (form: string) => (form === 'scrolling' ? say('滚动字幕', 'Scrolling line') : say('整屏', 'Whole face'));

/** Silent ones first, then by name. */
export function order(screens: readonly Screen[]): Screen[] {
  return [...screens].sort((one, other) => Number(other.stale) - Number(one.stale) || one.name.localeCompare(other.name, 'zh-CN'));
}
