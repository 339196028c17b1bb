// A source's rhythm and lateness in words.
import { number, say } from '../../words/say.svelte.ts';
import type { Health } from './health.ts';

/** Minutes as a rough length: they are the end of a class. */
export function lateness(minutes: number): string {
  if (minutes < 60) return say(`${number(minutes)} 分钟`, `${number(minutes)} min`);
  if (minutes < 1440) return say(`${number(minutes / 60)} 小时`, `${number(minutes / 60)} h`);
  return say(`${number(minutes / 1440)} 天`, `${number(minutes / 1440)} d`);
}

/** What is expected of it, in words. */
export function expectation(source: Pick<Health, 'expected' | 'expected_hours' | 'usual_pause_hours'>): string {
  if (source.expected === 'nothing') return say('不要求定期报送', 'nothing is expected');
  if (source.expected === 'within') return say(`应每 ${number(source.expected_hours ?? 0)} 小时内报送（人工设定）`, `something within ${number(source.expected_hours ?? 0)} h (set by hand)`);
  if (source.usual_pause_hours == null) return say('尚无规律：来源较新或很少报送', 'no rhythm yet: it is new, or comes rarely');
  return say(`平时约每 ${number(source.usual_pause_hours)} 小时`, `usually every ${number(source.usual_pause_hours)} h`);
}
