// What a task is called, in few words.
import { say } from '../../words/say.svelte.ts';
import type { Task } from './tasks.ts';

const words: Record<Task['kind'], [string, string]> = {
  first_review: ['初审', 'First review'],
  city_review: ['市级审核', 'Review for the city'],
  second_officer: ['第二人确认', 'Second officer'],
  to_mend: ['退回修改', 'Returned to be mended'],
  retraction: ['确认撤回、更正或解除（第二人）', 'Second officer for its end'],
  account_change: ['账号变更待确认', 'Change of an account'],
  in_need: ['居民求助', 'A resident in need'],
  urgent_help: ['有人急需帮助，还没有人接', 'Somebody needs help, and nobody has taken it'],
  case: ['诉求等您处理', 'A case waits for you'],
  case_close: ['诉求临近期限', 'A case is close to its deadline'],
  case_late: ['诉求已超时', 'A case is late'],
};

export function kindWord(kind: Task['kind']): string {
  return say(...words[kind]);
}

/** `紧急，第二人确认：请将水煮沸后再饮用` */
export function sentence(task: Task): string {
  const mark = `${task.exercise ? say('演练，', 'EXERCISE, ') : ''}${task.urgent ? say('紧急，', 'urgent, ') : ''}`;
  return `${mark}${kindWord(task.kind)}${task.headline ? say(`：${task.headline}`, `: ${task.headline}`) : ''}`;
}
