// What comes of a visit, and why somebody is visited, in words.
import { say } from '../../words/say.svelte.ts';
import type { FollowUp, Outcome } from './contract.ts';

export const outcomes = ['informed', 'needs_help', 'not_found', 'refused'] as const satisfies readonly Outcome[];

export function outcomeWord(outcome: Outcome): string {
  const words: Record<Outcome, [string, string]> = {
    informed: ['已告知', 'Informed'],
    needs_help: ['需要帮助', 'Needs help'],
    not_found: ['找不到人', 'Not found'],
    refused: ['拒绝了解', 'Does not want to hear'],
  };
  return say(...words[outcome]);
}

export function outcomeMeans(outcome: Outcome): string {
  const words: Record<Outcome, [string, string]> = {
    informed: ['本人已清楚要做什么', 'They know now what to do'],
    needs_help: ['本人已知道，但做不到，需要接送、照护或物资', 'They know, but need help to do it: transport, care, supplies'],
    not_found: ['电话不通、不在家或已搬走', 'No answer, nobody at home, or moved away'],
    refused: ['已联系上，不愿听', 'Reached, but would not listen'],
  };
  return say(...words[outcome]);
}

export function whyWord(reason: FollowUp['reason']): string {
  return reason === 'silent' ? say('提醒两次仍未确认', 'No answer after two reminders') : say('应用和短信都送不到', 'Neither app nor SMS reaches them');
}
