// What stands against the person, as last read and kept for times without network; and who asked about it.
import { asProblem, type Problem } from '../../api/client.ts';
import { asked } from '../account.svelte.ts';
import { keep, kept } from '../device.ts';
import type { MyStanding, ObjectionTaken, StandingQuestion } from './contract.ts';

const state = $state<{ all: MyStanding[]; known: boolean; questions: StandingQuestion[] | null; problem: Problem | null }>({ all: [], known: false, questions: null, problem: null });

export const standings = (): MyStanding[] => state.all;
/** Whether it was ever read, on this device at least. */
export const areKnown = (): boolean => state.known;
export const questions = (): StandingQuestion[] | null => state.questions;
export const problem = (): Problem | null => state.problem;

/** Nothing of one person is left for the next. */
export function forgetStandings(): void {
  Object.assign(state, { all: [], known: false, questions: null, problem: null });
}

/** Reads what stands; where the platform is away, what was kept is shown. */
export async function lookAtStandings(): Promise<void> {
  if (!state.known) {
    const before = await kept<MyStanding[]>('standings');
    if (before && !state.known) Object.assign(state, { all: before, known: true });
  }
  try {
    const { data } = await asked<MyStanding[]>('GET', '/api/v1/me/standings');
    if (!data) return;
    Object.assign(state, { all: data, known: true, problem: null });
    await keep('standings', $state.snapshot(state.all));
  } catch (thrown) {
    const found = asProblem(thrown);
    // A platform that keeps no standings has none against anybody.
    if (found.status === 404) Object.assign(state, { all: [], known: true, problem: null });
    else state.problem = found;
  }
}

/** Reads who asked whether something stands. */
export async function lookAtQuestions(): Promise<void> {
  try {
    state.questions = (await asked<StandingQuestion[]>('GET', '/api/v1/me/standing-questions')).data ?? [];
  } catch {
    // Said by the page as not readable now.
  }
}

/** Says that it is wrong. */
export async function object(id: number, text: string): Promise<ObjectionTaken | undefined> {
  const { data } = await asked<ObjectionTaken>('POST', `/api/v1/me/standings/${id}/objection`, { body: { text } });
  await lookAtStandings();
  return data;
}
