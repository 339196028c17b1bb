// What a step asks of whoever takes it, whether it is answered, and what is sent. No I/O; who may take which step the platform says.
import type { DeclineGround, TellBy } from '../../words/casework.ts';
import type { CaseEvent, CaseFile, CaseGrade, CaseUrgency, Nature, OpenEvent, StaffEvent, StepBody } from './contract.ts';

export const declineGrounds = ['out_of_scope', 'state_secret', 'trade_secret', 'privacy_of_others', 'in_court', 'already_answered'] as const satisfies readonly DeclineGround[];
export const natures = ['consultation', 'complaint', 'request_for_help', 'suggestion', 'report', 'objection', 'commendation', 'other'] as const satisfies readonly Nature[];
export const urgencies = ['ordinary', 'urgent', 'top'] as const satisfies readonly CaseUrgency[];
export const grades = ['simple', 'complex', 'major'] as const satisfies readonly CaseGrade[];
export const tellings = ['sms', 'app', 'call', 'letter'] as const satisfies readonly TellBy[];
export const outcomes = ['satisfied', 'not_satisfied', 'unreachable'] as const;

/** Something that a step asks: words, one of a few, units, a number, a yes. */
export type Question =
  | { name: 'text' | 'reason' | 'where_to' | 'task' | 'answer'; as: 'words'; needed: boolean; most: number }
  | { name: 'ground' | 'nature' | 'urgency' | 'grade' | 'by' | 'outcome'; as: 'choice'; needed: true; of: readonly string[] }
  | { name: 'lead' | 'proposal' | 'unit'; as: 'unit'; needed: true }
  | { name: 'assists'; as: 'units'; needed: false }
  | { name: 'working_days'; as: 'days'; needed: true }
  | { name: 'into'; as: 'number'; needed: true }
  | { name: 'visible'; as: 'yes'; needed: false };
export type Name = Question['name'];
/** What was answered so far. */
export type Answers = Partial<Record<Exclude<Name, 'assists' | 'visible'>, string>> & { assists?: number[]; visible?: boolean };

const words = (name: Extract<Question, { as: 'words' }>['name'], needed = true, most = 1000): Question => ({ name, as: 'words', needed, most });
const choice = (name: Extract<Question, { as: 'choice' }>['name'], of: readonly string[]): Question => ({ name, as: 'choice', needed: true, of });

const asked: Record<StaffEvent, readonly Question[]> = {
  answer_at_once: [words('text', true, 5000)],
  register: [],
  confirm_registration: [],
  correct_registration: [words('reason')],
  decline: [choice('ground', declineGrounds), words('reason'), words('where_to', false, 200)],
  accept: [choice('nature', natures), choice('urgency', urgencies), choice('grade', grades)],
  route: [{ name: 'lead', as: 'unit', needed: true }, { name: 'assists', as: 'units', needed: false }, words('task', false, 500)],
  sign_for: [],
  refuse_competence: [words('reason'), { name: 'proposal', as: 'unit', needed: true }],
  decide_dispute: [{ name: 'lead', as: 'unit', needed: true }, words('reason'), words('task', false, 500)],
  report_progress: [words('text', true, 5000), { name: 'visible', as: 'yes', needed: false }],
  ask_citizen: [words('text', true, 5000)],
  finish_assist: [words('text', true, 5000)],
  release_assist: [{ name: 'unit', as: 'unit', needed: true }, words('reason')],
  ask_extension: [{ name: 'working_days', as: 'days', needed: true }, words('reason')],
  grant_extension: [],
  refuse_extension: [words('reason')],
  regrade: [choice('urgency', urgencies), choice('grade', grades), words('reason')],
  submit_result: [words('text', true, 5000), words('answer', true, 5000)],
  decide: [words('answer', true, 5000)],
  send_back: [words('reason')],
  tell: [choice('by', tellings)],
  call_back: [choice('outcome', outcomes), words('text', false, 5000)],
  propose_merge: [{ name: 'into', as: 'number', needed: true }, words('reason')],
  merge: [],
  refuse_merge: [words('reason')],
};

/** Whether staff take it themselves, not the citizen nor the platform. */
const isStaffEvent = (event: CaseEvent): event is StaffEvent => event in asked;

export const questionsOf = (event: StaffEvent): readonly Question[] => asked[event];

const EXTENSION = { least: 1, most: 250 };

/** What is missing or cannot be so. */
export function faultsOf(event: StaffEvent, answers: Answers): Name[] {
  // Whoever is not satisfied has it looked at again, and says why.
  const isNeeded = (question: Question) => question.needed || (event === 'call_back' && question.name === 'text' && answers.outcome === 'not_satisfied');
  return asked[event].flatMap((question): Name[] => {
    if (question.as === 'units' || question.as === 'yes') return [];
    const said = (answers[question.name] ?? '').trim();
    if (!said) return isNeeded(question) ? [question.name] : [];
    if (question.as === 'days') return /^\d{1,3}$/.test(said) && Number(said) >= EXTENSION.least && Number(said) <= EXTENSION.most ? [] : [question.name];
    if (question.as === 'words') return [...said].length > question.most ? [question.name] : [];
    return [];
  });
}

/** What is sent: numbers as numbers, nothing that was left empty, an answer to the citizen only where it was changed. */
export function bodyOf(event: StaffEvent, answers: Answers, file: Pick<CaseFile, 'answer'>): StepBody {
  const body: Partial<Record<Name, unknown>> = {};
  for (const question of asked[event]) {
    if (question.as === 'units') {
      const others = (answers.assists ?? []).filter((unit) => String(unit) !== answers.lead);
      if (others.length) body.assists = others;
    } else if (question.as === 'yes') body.visible = answers.visible ?? false;
    else {
      const said = (answers[question.name] ?? '').trim();
      if (!said) continue;
      if (event === 'decide' && question.name === 'answer' && said === file.answer?.text) continue;
      body[question.name] = question.as === 'unit' || question.as === 'days' ? Number(said) : said;
    }
  }
  return body as StepBody;
}

/** What is filled in already when a step is begun. */
export function begunWith(event: StaffEvent, file: Pick<CaseFile, 'answer' | 'urgency' | 'grade' | 'nature' | 'caller' | 'kind' | 'anonymous' | 'orders'>): Answers {
  switch (event) {
    case 'decide':
      return { answer: file.answer?.text ?? '' };
    case 'accept':
      return { urgency: file.kind === 'urgent_help' ? 'top' : 'ordinary', grade: 'simple', nature: natureOf(file.kind) };
    case 'regrade':
      return { urgency: file.urgency ?? 'ordinary', grade: file.grade ?? 'simple' };
    case 'submit_result':
      return { answer: file.answer?.text ?? '' };
    case 'tell':
      return { by: file.caller?.phone ? 'sms' : 'app' };
    case 'call_back':
      return { outcome: '' };
    case 'report_progress':
      return { visible: true };
    case 'decide_dispute': {
      const proposal = file.orders.find(({ part, refused }) => part === 'lead' && refused)?.refused?.proposal?.unit_id;
      return proposal === undefined ? {} : { lead: String(proposal) };
    }
    default:
      return {};
  }
}

function natureOf(kind: CaseFile['kind']): Nature {
  switch (kind) {
    case 'consultation':
    case 'complaint':
    case 'objection':
      return kind;
    case 'urgent_help':
    case 'psychological':
      return 'request_for_help';
    case 'problem_report':
    case 'violation_report':
      return 'report';
    case 'feedback':
      return 'suggestion';
  }
}

/** Steps that go on with a case stand before those that turn it another way. */
const aside: readonly StaffEvent[] = ['correct_registration', 'decline', 'refuse_competence', 'ask_citizen', 'ask_extension', 'refuse_extension', 'regrade', 'send_back', 'propose_merge', 'release_assist', 'refuse_merge'];

/** What the caller may do now, the step that goes on first; and what they may not, with why. */
export function sorted(events: readonly OpenEvent[]): { open: StaffEvent[]; closed: OpenEvent[] } {
  const open = events.filter(({ allowed }) => allowed).map(({ event }) => event).filter(isStaffEvent);
  return { open: [...open.filter((event) => !aside.includes(event)), ...open.filter((event) => aside.includes(event))], closed: events.filter(({ allowed }) => !allowed) };
}

/** A step that takes something away from somebody. */
export const isGrave = (event: StaffEvent): boolean => event === 'decline' || event === 'refuse_competence' || event === 'merge';
