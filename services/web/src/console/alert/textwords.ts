// What the languages and the fields of an alert's texts are called.
import { say } from '../../words/say.svelte.ts';
import type { TextField } from './contract.ts';

export function languageWord(language: string): string {
  return language === 'zh-CN' ? say('中文', 'Chinese') : language === 'en' ? say('英文', 'English') : language;
}

export function fieldWord(field: TextField): string {
  const words: Record<TextField, [string, string]> = {
    headline: ['标题', 'Headline'],
    body: ['正文', 'What happened'],
    instruction: ['措施要求', 'What to do'],
    sms: ['短信', 'SMS'],
  };
  return say(...words[field]);
}
