// Who the people are that histories name: asked once, and again when somebody new turns up.
import { data, type Schema } from '../api/client.ts';
import { roleWord } from '../words/alert.ts';
import { say } from '../words/say.svelte.ts';
import { api, staff } from './session.svelte.ts';

export type Colleague = Schema['Colleague'];

let known = $state.raw(new Map<string, Colleague>());
let asking: Promise<void> | undefined;
const nobody = new Set<string>();

function ask(): Promise<void> {
  return (asking ??= data(api.GET('/api/v1/colleagues'))
    .then((all) => void (known = new Map(all.map((one) => [one.id, one]))))
    .catch(() => {})
    .finally(() => (asking = undefined)));
}

/** Has the names of these people at hand. */
export async function meet(ids: Iterable<string>): Promise<void> {
  const strangers = [...ids].filter((id) => !known.has(id) && !nobody.has(id));
  if (!strangers.length) return;
  await ask();
  // Whom the platform does not know is not asked for again.
  if (known.size) for (const id of strangers) if (!known.has(id)) nobody.add(id);
}

/** Somebody's name and what they are, as colleagues say it; null while it is not known. */
export function colleague(id: string): string | null {
  if (id === staff()?.id) return say('您', 'you');
  const one = known.get(id);
  return one ? `${one.name}${say('（', ' (')}${roleWord(one.role)}${say('）', ')')}` : null;
}
