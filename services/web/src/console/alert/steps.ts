// The steps that people take with an alert, as the pages tell them: what a step is called, what will happen, what has happened.
import { headcount } from '../../words/headcount.ts';
import { say } from '../../words/say.svelte.ts';
import { actionWord, type Action, type Role } from '../../words/alert.ts';
import type { AlertDetail } from './contract.ts';

/** A decision, or writing a correction. */
export type Step = Action | 'correct';

const onward: Action[] = ['confirm', 'approve', 'pass_district', 'submit'];
const back: Action[] = ['decline', 'return_city', 'return_district'];
const reasoned: Step[] = [...back, 'refuse', 'cancel', 'discard', 'correct'];
const underWay = ['approved', 'dispatching', 'active'];

/** The step that takes it on its way, if the caller may take it. */
export function onwardOf(open: readonly Action[]): Action | undefined {
  return onward.find((action) => open.includes(action));
}

/** The step that sends it back. */
export function backOf(open: readonly Action[]): Action | undefined {
  return back.find((action) => open.includes(action));
}

export function needsReason(step: Step): boolean {
  return reasoned.includes(step);
}

/** Whether a step ends one's turn, so that the next alert may be shown. */
export function endsTurn(step: Step): boolean {
  return ['confirm', 'approve', 'pass_district', 'refuse', ...back].includes(step);
}

/** Whether people have received it, or are about to. */
export function isUnderWay(alert: Pick<AlertDetail, 'state'>): boolean {
  return underWay.includes(alert.state);
}

/** Whether somebody of this role and scope may write in the alert's area. */
export function mayWrite(role: Role, scope: string, alert: Pick<AlertDetail, 'district'>): boolean {
  if (!['city_command_officer', 'district_reviewer', 'submitting_unit'].includes(role)) return false;
  return scope === 'city' || (!!alert.district && scope === `district:${alert.district}`);
}

export function stepName(step: Step): string {
  return step === 'correct' ? say('更正', 'Correct') : actionWord(step);
}

/** What will happen, before it does. `people` is null while nobody has counted them, or where nobody could. */
export function consequence(step: Step, alert: AlertDetail, people: string | null, uncounted = false): string {
  const many = people ?? (uncounted ? say('（人数未统计）', '(not counted)') : say('（人数统计中）', '(being counted)'));
  const sent = isUnderWay(alert);
  switch (step) {
    case 'submit':
      return alert.district
        ? say('送本区县审核员审核。批准之前没有人收到。', 'Goes to the district reviewer. Nobody receives it before it is approved.')
        : say('送市级指挥部初审。批准之前没有人收到。', 'Goes to the city command for its first review. Nobody receives it before it is approved.');
    case 'pass_district':
      return say(`送市级指挥部审核。市级批准之前没有人收到；批准之后 ${many} 人收到。`, `Goes to the city command. Nobody receives it before they approve; then ${many} people do.`);
    case 'approve':
      return alert.class === 'urgent'
        ? say(`立即推送给 ${many} 人，30 分钟内完成。`, `Is sent to ${many} people at once, within 30 minutes.`)
        : say(`推送给 ${many} 人，2 小时内完成；免打扰时段内顺延。`, `Is sent to ${many} people within 2 hours, outside the quiet hours.`);
    case 'confirm':
      return say(`立即推送给 ${many} 人，30 分钟内完成，夜间也发。`, `Is sent to ${many} people at once, within 30 minutes, at night as well.`);
    case 'decline':
    case 'return_city':
    case 'return_district':
      return say('退回撰写人修改，撰写人会看到您的理由。没有人收到。', 'Goes back to its author, who reads your reason. Nobody receives it.');
    case 'refuse':
      return say('到此为止：不能再修改或重新提交。没有人收到。', 'Ends here: it cannot be changed or handed in again. Nobody receives it.');
    case 'discard':
      return say('草稿作废，不能恢复。', 'The draft is thrown away for good.');
    case 'cancel':
      return sent
        ? say('还没有发出的立即停止；已收到的人会看到“已撤销”和您写的原因。', 'What is not sent yet stops at once; those who have it see that it was withdrawn, and your reason.')
        : say('不再推送，到此为止。', 'It will not be sent. It ends here.');
    case 'correct':
      return say('打开一份更正草稿。更正批准之前，现在的弹窗照常有效。', 'Opens a correction as a draft. Until that is approved, this alert stands.');
    default:
      return '';
  }
}

/** What has happened, in both languages: it is told on whichever page comes next. */
export function outcome(step: Step, people: number | null): { zh: string; en: string } {
  const zh = people === null ? '' : `，共 ${headcount(people)} 人`;
  const en = people === null ? '' : ` to ${headcount(people)} people`;
  const words: Partial<Record<Step, [string, string]>> = {
    submit: ['已提交审核。', 'Handed in for review.'],
    pass_district: ['已通过，送市级审核。', 'Passed; it goes to the city command.'],
    approve: [`已批准，开始推送${zh}。`, `Approved; it is being sent${en}.`],
    confirm: [`已确认，紧急推送开始${zh}。`, `Confirmed; the urgent alert is being sent${en}.`],
    decline: ['未予确认，已退回撰写人。', 'Not confirmed; it went back to its author.'],
    return_city: ['已退回撰写人。', 'Returned to its author.'],
    return_district: ['已退回撰写人。', 'Returned to its author.'],
    refuse: ['已驳回。', 'Refused.'],
    discard: ['草稿已作废。', 'The draft was thrown away.'],
    cancel: ['已停止并撤销。', 'Stopped and withdrawn.'],
    correct: ['更正草稿已建立，请修改后提交。', 'The correction is a draft now: change it and hand it in.'],
  };
  const [said, saidEn] = words[step] ?? ['已完成。', 'Done.'];
  return { zh: said, en: saidEn };
}
