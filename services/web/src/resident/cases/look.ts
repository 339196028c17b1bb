// What becomes of a case, in the order in which somebody wants to know it. No I/O; which steps are open the platform says.
import type { CaseState } from '../../words/casework.ts';
import { say } from '../../words/say.svelte.ts';
import { calendarDay, moment } from '../../words/time.svelte.ts';
import type { CitizenCase, CitizenDue, CitizenEvent } from './contract.ts';

const ends: readonly CaseState[] = ['closed', 'declined', 'withdrawn', 'merged'];
export const isOver = (state: CaseState): boolean => ends.includes(state);

/** Until when, in words: working days end with their day, hours at their minute. */
export function untilWord({ at, day }: Pick<CitizenDue, 'at' | 'day'>): string {
  const last = day ?? dayThatEnds(at);
  return last ? say(`${calendarDay(last)}结束前`, `by the end of ${calendarDay(last)}`) : say(`${moment(at)} 前`, `by ${moment(at)}`);
}

/** The day whose end this is on the city's clocks; none in the middle of one. */
function dayThatEnds(at: string): string | null {
  const city = new Date(Date.parse(at) + 8 * 3_600_000).toISOString();
  return city.slice(11, 19) === '00:00:00' ? new Date(Date.parse(city) - 1000).toISOString().slice(0, 10) : null;
}

export function dueWord(due: Pick<CitizenDue, 'at' | 'day' | 'late'>): string {
  const until = untilWord(due);
  return due.late ? say(`本应在${until}完成，已超时`, `Was promised ${until}: late`) : say(`最迟${until}`, `At the latest ${until}`);
}

/** What somebody is asked for now, before everything else that they may do. */
export function askedNow({ state, asked, open_events }: Pick<CitizenCase, 'state' | 'asked' | 'open_events'>): 'answer' | 'rating' | null {
  if (state === 'waiting' && asked && open_events.includes('supplement')) return 'answer';
  if (open_events.includes('satisfied')) return 'rating';
  return null;
}

/** What else may be done, in the order in which it is usually wanted. */
const further: readonly CitizenEvent[] = ['supplement', 'chase', 'not_satisfied', 'withdraw'];
export const furtherSteps = (one: Pick<CitizenCase, 'state' | 'asked' | 'open_events'>): CitizenEvent[] =>
  further.filter((event) => one.open_events.includes(event) && !(event === 'supplement' && askedNow(one) === 'answer') && !(event === 'not_satisfied' && askedNow(one) === 'rating'));

/** Whether a step needs words. */
export const needsText = (event: CitizenEvent): boolean => event === 'supplement' || event === 'not_satisfied';

export function eventWord(event: CitizenEvent): string {
  const words: Record<CitizenEvent, [string, string]> = {
    supplement: ['补充情况', 'Add something'],
    chase: ['催办', 'Ask where it stays'],
    satisfied: ['满意', 'Satisfied'],
    not_satisfied: ['不满意，要求复核', 'Not satisfied: look again'],
    withdraw: ['撤回', 'Withdraw it'],
  };
  return say(...words[event]);
}

/** What has happened once a step was taken. */
export function doneWord(event: CitizenEvent): string {
  const words: Record<CitizenEvent, [string, string]> = {
    supplement: ['已补充。', 'Added.'],
    chase: ['已催办，承办单位会看到。', 'They are told that you are waiting.'],
    satisfied: ['感谢您的评价。', 'Thank you.'],
    not_satisfied: ['已转由另一位负责人复核。', 'Somebody else looks at it again.'],
    withdraw: ['已撤回。', 'Withdrawn.'],
  };
  return say(...words[event]);
}
