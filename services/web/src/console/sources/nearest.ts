// Why a record leads to no alert, in words.
import type { Schema } from '../../api/client.ts';
import { say } from '../../words/say.svelte.ts';

type NearMiss = Schema['NearMiss'];

/** What is between a rule and a record. */
export function whyNot(miss: NearMiss): string {
  const parts = miss.unmet.map((part) =>
    part.lacks ? say(`缺少 ${part.lacks}（须 ${part.wanted}）`, `${part.lacks} is missing (${part.wanted} is wanted)`)
    : part.found ? say(`须 ${part.wanted}，记录为 ${part.found}`, `${part.wanted} is wanted, the record says ${part.found}`)
    : say(`须 ${part.wanted}`, `${part.wanted} is wanted`),
  );
  switch (miss.nobody_to_tell) {
    case 'stranger': parts.push(say('对象尚未登记，登记后再匹配', 'whom it names is not registered: it waits for them')); break;
    case 'nobody_concerned': parts.push(say('记录只涉及场所，规则只通知本人', 'it is about a place, and the rule tells the person concerned')); break;
    case 'nowhere': parts.push(say('不知道对象所在的街道或社区', 'nobody knows in which township or community')); break;
  }
  return parts.join(say('；', '; '));
}
