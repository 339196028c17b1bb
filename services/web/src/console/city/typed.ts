// The typed confirmation of an urgent push: whoever sends has to write how many people it reaches, and the word 演练 before it when it is
// an exercise. Where nobody could count them, the word alone: that the count is away keeps no push from going out. So the hand cannot confirm what the head has not read.
import { isWordFor, typedNumber, wordFor } from '../alert/typed.ts';
import { typable } from '../../words/headcount.ts';

/** What has to be typed: `32054`, or `演练32054`; not counted, `实际` or `演练`. */
export function asked(people: number | null, exercise: boolean, english: boolean): string {
  if (people === null) return wordFor(exercise, english);
  return exercise ? `${english ? 'EXERCISE ' : '演练'}${typable(people)}` : String(typable(people));
}

/** Whether it was. A number for the real thing never carries the word, one for an exercise always does. */
export function matches(typed: string, people: number | null, exercise: boolean): boolean {
  if (people === null) return isWordFor(typed, exercise);
  const said = typed.trim();
  const rest = exercise ? said.replace(/^(演练|exercise)/i, '') : said;
  return people > 0 && (rest !== said) === exercise && typedNumber(rest) === typable(people);
}
