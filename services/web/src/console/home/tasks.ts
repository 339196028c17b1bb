// What one is asked to do about an alert that waits, in few words.
import { say } from '../../words/say.svelte.ts';
import type { AlertLine } from '../alert/contract.ts';
import { taskName } from '../retraction/words.ts';

/** `others`: somebody else has to, whoever looks only sees it. */
export function taskOf(line: Pick<AlertLine, 'state' | 'district' | 'retraction'> & { last_reason?: string | null }, others = false): string {
  if (line.retraction) return taskName(line.retraction);
  switch (line.state) {
    case 'awaiting_confirmation':
      return say('第二人确认', 'Confirm as second officer');
    case 'district_review':
      return line.district ? say('区县审核', 'Review for the district') : say('市级初审', 'First review');
    case 'city_review':
      return say('市级审核', 'Review for the city');
    case 'draft':
      if (others && line.last_reason) return say('等撰写人修改', 'Its author mends it');
      return line.last_reason ? say('修改后再提交', 'Change and hand in again') : say('完成并提交', 'Complete and hand in');
    default:
      return say('查看', 'Look');
  }
}
