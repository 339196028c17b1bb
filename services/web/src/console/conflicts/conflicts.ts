// Conflicts in words: what each is, how the areas lie, and what has to be known before it is approved.
import { say } from '../../words/say.svelte.ts';
import type { Asked, Conflict, ConflictKind, Measure, Overlap } from './contract.ts';

const kinds: Record<ConflictKind, [string, string]> = {
  contradicts: ['要求相反', 'Asks for the opposite'],
  doubles: ['同一件事', 'The same again'],
  overlaps: ['区域重叠', 'Same area'],
};
const overlaps: Record<Overlap, [string, string]> = {
  same: ['区域相同', 'the same area'],
  contains: ['本条包含对方区域', 'this one’s area holds the other’s'],
  within: ['本条在对方区域之内', 'this one’s area lies within the other’s'],
  partly: ['部分区域重叠', 'parts of the areas are the same'],
  people: ['点名的人住在这些区县', 'the people named live in these districts'],
};
const measures: Record<Measure, [string, string]> = {
  stay_in: ['留在家中', 'stay in'],
  leave: ['撤离', 'leave'],
  isolate: ['隔离', 'isolate'],
  test: ['检测', 'be tested'],
  boil_water: ['水煮沸后饮用', 'boil water'],
  keep_away: ['不要前往', 'keep away'],
};

export const kindWord = (kind: ConflictKind) => say(...kinds[kind]);
export const overlapWord = (overlap: Overlap) => say(...overlaps[overlap]);
/** `撤离`, or that it is not asked: `不再要求：撤离`. */
export function measureWord({ measure, taken }: Asked): string {
  const word = measures[measure] ? say(...measures[measure]) : measure;
  return taken ? word : say(`不再要求：${word}`, `no more: ${word}`);
}

/** What has to be known before this is approved, as one sentence; empty where nothing contradicts it. */
export function contradictionOf(conflicts: readonly Pick<Conflict, 'must_be_confirmed' | 'sentence' | 'sentence_en' | 'headline'>[]): string {
  const against = conflicts.filter((one) => one.must_be_confirmed);
  const [first] = against;
  if (!first) return '';
  const said = say(first.sentence, first.sentence_en);
  return against.length > 1 ? `${said}${say(`另有 ${against.length - 1} 条也相反。`, ` ${against.length - 1} more contradict it as well.`)}` : said;
}

/** How many there are of what matters before what is merely near. */
export function counted(conflicts: readonly Pick<Conflict, 'kind'>[]): Record<ConflictKind, number> {
  const of = (kind: ConflictKind) => conflicts.filter((one) => one.kind === kind).length;
  return { contradicts: of('contradicts'), doubles: of('doubles'), overlaps: of('overlaps') };
}
