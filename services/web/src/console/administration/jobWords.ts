// Scheduled work in words: when a job is due, how a run ended, what it did.
import type { Schema } from '../../api/client.ts';
import { number, say } from '../../words/say.svelte.ts';
import { span } from '../../words/time.svelte.ts';
import { inWords } from './jobTimes.ts';

export type Job = Schema['ScheduledJob'];
export type Run = Schema['JobRun'];
export type Tone = 'jade' | 'fire' | 'amber' | 'sky' | 'plain';

export const about = (job: Job) => say(job.about, job.about_en);

/** When a job is due, if that can be said in words; else its expression says it alone. */
export function timesWord(job: Job): string | null {
  const words = inWords(job.cron);
  return words && say(...words);
}

/** How a run ended, or how it stands. */
export function ending(run: Run): { word: string; tone: Tone } {
  switch (run.outcome) {
    case 'done':
      return { word: say('已完成', 'Done'), tone: 'jade' };
    case 'failed':
      return { word: say('失败', 'Failed'), tone: 'fire' };
    case 'lost':
      return { word: say('中断', 'Cut off'), tone: 'amber' };
    default:
      return run.started_at ? { word: say('运行中', 'Running'), tone: 'sky' } : { word: say('即将开始', 'About to begin'), tone: 'sky' };
  }
}

/** How long a run took. */
export function took(milliseconds: number): string {
  return milliseconds < 1000 ? say(`${milliseconds} 毫秒`, `${milliseconds} ms`) : span(milliseconds);
}

/** What a run did, or why it did not. */
export function result(run: Run): string {
  if (run.outcome === 'failed') return run.error ?? '';
  if (run.outcome === 'lost') return say('运行它的进程中途停止，任务已重新安排。', 'The process that ran it died; the job was due again at once.');
  if (run.outcome !== 'done') return '';
  const done = run.did.filter((figure) => figure.number > 0).map((figure) => `${say(figure.what, figure.what_en)} ${number(figure.number)}`);
  return done.length ? done.join(say('，', ', ')) : say('没有需要处理的', 'There was nothing to do');
}

/** Whether somebody should look at the job. */
export function needsALook(job: Job): boolean {
  return job.state === 'overdue' || job.last?.outcome === 'failed' || job.last?.outcome === 'lost';
}
