// The words of casework as citizens and staff read them. What may be done in which state the platform says (`open_events`); only the wording is here.
import type { Schema } from '../api/client.ts';
import { say } from './say.svelte.ts';

export type CaseKind = Schema['CaseKind'];
export const caseKinds = ['consultation', 'complaint', 'urgent_help', 'psychological', 'problem_report', 'violation_report', 'feedback', 'objection'] as const satisfies readonly CaseKind[];
export type CaseState = Schema['CaseState'];
export type TellBy = Schema['TellBy'];
export type DeclineGround = Schema['DeclineGround'];
export type Holiday = Schema['Holiday'];
/** A day on the way to a deadline, and why it counts or does not. */
export type DayCounted = Schema['DayCounted'];

/** Numbers that answer at once in the whole country: rescue, the health hotline, and somebody to talk to. */
export const lines = { rescue: '120', health: '12320', talk: '12356' } as const;

const kinds: Record<CaseKind, [string, string]> = {
  consultation: ['咨询', 'Question'],
  complaint: ['投诉', 'Complaint'],
  urgent_help: ['急需帮助', 'Urgent help'],
  psychological: ['心理支持', 'Somebody to talk to'],
  problem_report: ['反映问题', 'Problem'],
  violation_report: ['举报', 'Report of a violation'],
  feedback: ['弹窗反馈', 'Feedback on an alert'],
  objection: ['弹窗异议', 'Objection to an alert'],
};
export const caseKindWord = (kind: CaseKind) => say(...kinds[kind]);

const states: Record<CaseState, [string, string]> = {
  received: ['已收到', 'Received'],
  to_check: ['待第二人核对', 'Being checked'],
  registered: ['已登记', 'Registered'],
  accepted: ['已受理', 'Accepted'],
  disputed: ['责任争议', 'Competence disputed'],
  routed: ['已派单', 'Sent to a unit'],
  working: ['办理中', 'Being dealt with'],
  waiting: ['待补充', 'Waits for the citizen'],
  to_decide: ['待审定', 'To be decided'],
  to_confirm: ['待第二人审定', 'Second decision'],
  decided: ['已审定', 'Decided'],
  told: ['已答复', 'Answered'],
  closed: ['已办结', 'Closed'],
  declined: ['不予受理', 'Not taken'],
  withdrawn: ['已撤回', 'Withdrawn'],
  merged: ['已并入', 'Merged'],
};
export const caseStateWord = (state: CaseState) => say(...states[state]);

export function caseStateTone(state: CaseState): 'plain' | 'amber' | 'sky' | 'jade' | 'fire' {
  switch (state) {
    case 'told':
    case 'closed':
      return 'jade';
    case 'disputed':
      return 'fire';
    case 'waiting':
    case 'to_check':
    case 'to_decide':
    case 'to_confirm':
      return 'amber';
    case 'declined':
    case 'withdrawn':
    case 'merged':
      return 'plain';
    default:
      return 'sky';
  }
}

const tellings: Record<TellBy, [string, string]> = { app: ['网上答复', 'on line'], sms: ['短信', 'by SMS'], call: ['电话', 'by phone'], letter: ['书面', 'by letter'] };
export const tellByWord = (by: TellBy) => say(...tellings[by]);

const grounds: Record<DeclineGround, [string, string]> = {
  out_of_scope: ['不属于受理范围', 'Out of scope'],
  state_secret: ['涉及国家秘密', 'About a state secret'],
  trade_secret: ['涉及商业秘密', 'About a trade secret'],
  privacy_of_others: ['涉及他人隐私', 'About the privacy of others'],
  in_court: ['已进入诉讼或复议', 'Before a court already'],
  already_answered: ['已就同一事项答复', 'Answered before, nothing new'],
};
export const groundWord = (ground: DeclineGround) => say(...grounds[ground]);

const holidays: Record<Holiday, [string, string]> = {
  new_year: ['元旦', "New Year's Day"],
  spring_festival: ['春节', 'Spring Festival'],
  tomb_sweeping: ['清明节', 'Tomb-sweeping Day'],
  labour_day: ['劳动节', 'Labour Day'],
  dragon_boat: ['端午节', 'Dragon Boat Festival'],
  mid_autumn: ['中秋节', 'Mid-autumn Festival'],
  national_day: ['国庆节', 'National Day'],
  victory_day: ['抗战胜利纪念日', 'Victory Day'],
  local: ['本地节日', 'a local holiday'],
};
const holidayWord = (holiday: Holiday | null | undefined) => (holiday ? say(...holidays[holiday]) : say('节假日', 'a holiday'));

/** Why a day counts or does not. */
export function dayWord({ reason, holiday, n }: DayCounted): string {
  switch (reason) {
    case 'intake_day':
      return say('收到当天，不计', 'The day it came: not counted');
    case 'working_day':
      return say(`第 ${n ?? '—'} 个工作日`, `Working day ${n ?? '—'}`);
    case 'make_up_workday':
      return say(`第 ${n ?? '—'} 个工作日（调休上班）`, `Working day ${n ?? '—'} (made up for a holiday)`);
    case 'weekend':
      return say('周末，不计', 'Weekend: not counted');
    case 'holiday':
      return say(`${holidayWord(holiday)}放假，不计`, `Holiday (${holidayWord(holiday)}): not counted`);
    case 'provisional_holiday':
      return say(`${holidayWord(holiday)}，放假安排未公布，暂不计`, `Holiday (${holidayWord(holiday)}), not announced yet: not counted for now`);
    case 'paused':
      return say('等待补充期间，不计', 'Waiting for what was asked: not counted');
  }
}
