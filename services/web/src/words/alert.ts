// The words of alerts as staff and residents read them. Which step is open to whom the platform says (`open_actions`);
// only the wording is here.
import type { Schema } from '../api/client.ts';
import { say } from './say.svelte.ts';

export type State = Schema['AlertState'];
export type Action = Schema['AlertAction'];
export type Role = Schema['Role'];
export type PublicReason = Schema['PublicReason'];
export type Tone = 'plain' | 'fire' | 'amber' | 'jade' | 'sky' | 'drill' | 'night';

export function stateWord(state: State): string {
  const words: Record<State, [string, string]> = {
    draft: ['草稿', 'Draft'],
    district_review: ['区县审核中', 'District review'],
    city_review: ['市级审核中', 'City review'],
    awaiting_confirmation: ['待第二人确认', 'Awaits second officer'],
    approved: ['已批准', 'Approved'],
    dispatching: ['推送中', 'Sending'],
    active: ['生效中', 'In force'],
    closed: ['已结束', 'Ended'],
    refused: ['已驳回', 'Refused'],
    cancelled: ['已撤销', 'Withdrawn'],
    superseded: ['已被更正', 'Corrected'],
    all_clear: ['已解除', 'All clear'],
  };
  return say(...words[state]);
}

export function stateTone(state: State): Tone {
  switch (state) {
    case 'district_review':
    case 'city_review':
      return 'amber';
    case 'awaiting_confirmation':
      return 'fire';
    case 'approved':
    case 'dispatching':
      return 'sky';
    case 'active':
      return 'jade';
    default:
      return 'plain';
  }
}

export function actionWord(action: Action): string {
  const words: Record<Action, [string, string]> = {
    submit: ['提交', 'Submit'],
    pass_district: ['审核通过', 'Pass'],
    return_district: ['退回', 'Return'],
    approve: ['批准', 'Approve'],
    return_city: ['退回', 'Return'],
    refuse: ['驳回', 'Refuse'],
    compose_urgent: ['提交紧急推送', 'Submit urgent alert'],
    confirm: ['确认推送', 'Confirm'],
    decline: ['不予确认', 'Decline'],
    release: ['开始推送', 'Sending began'],
    handed_over: ['推送完成', 'Everybody reached'],
    close: ['结束', 'Ended'],
    cancel: ['停止并撤销', 'Stop and withdraw'],
    supersede: ['更正替代', 'Replaced by its correction'],
    discard: ['作废', 'Discard'],
    stop: ['停止推送', 'Stopped'],
    resume: ['恢复推送', 'Going on'],
    retract: ['撤回', 'Withdrawn'],
    lift: ['解除', 'All clear'],
  };
  return say(...words[action]);
}

/** What happened, in a history: an action, or how an alert came to be. */
export function stepWord(step: string): string {
  const beginnings: Record<string, [string, string]> = {
    gathered: ['规则生成', 'Made by a rule'],
    write: ['撰写', 'Written'],
    edit: ['修改', 'Edited'],
    correct: ['撰写更正', 'Correction written'],
    records_ended: ['来源更正或撤回了记录', 'Records were corrected or taken back by their source'],
    leave_out: ['移出受众', 'Taken out of the audience'],
    withdraw: ['对部分人撤销', 'Withdrawn for some people'],
    ask_withdraw: ['请求撤回', 'Withdrawal asked for'],
    ask_all_clear: ['请求解除', 'All-clear asked for'],
    ask_correct: ['请求更正', 'Correction asked for'],
    confirm_withdraw: ['确认撤回', 'Withdrawal confirmed'],
    confirm_all_clear: ['确认解除', 'All-clear confirmed'],
    confirm_correct: ['确认更正', 'Correction confirmed'],
    refuse_retraction: ['不同意请求', 'Request refused'],
    take_back_retraction: ['收回请求', 'Request taken back'],
    comment: ['批注', 'Commented'],
    resolve_comment: ['解决批注', 'Comment resolved'],
  };
  const found = beginnings[step];
  return found ? say(...found) : actionWord(step as Action);
}

export function classWord(of: Schema['DeliveryClass']): string {
  return of === 'urgent' ? say('紧急', 'Urgent') : say('一般', 'Routine');
}

export function roleWord(role: Role): string {
  const words: Record<Role, [string, string]> = {
    city_command_officer: ['市级指挥部', 'City command'],
    district_reviewer: ['区县审核', 'District review'],
    submitting_unit: ['报送单位', 'Submitting unit'],
    industry_supervisor: ['行业主管', 'Industry supervisor'],
    community_worker: ['社区工作', 'Community worker'],
    technical_operator: ['技术支撑', 'Technical operator'],
    auditor: ['审计', 'Auditor'],
    administrator: ['管理员', 'Administrator'],
    hotline_operator: ['热线坐席', 'Hotline operator'],
    unit_handler: ['承办单位经办人', 'Unit handler'],
    unit_lead: ['承办单位负责人', 'Unit lead'],
    supervisor: ['督办人员', 'Supervisor'],
  };
  return say(...words[role]);
}

export const industries = [
  'education', 'transport', 'health', 'commerce', 'catering', 'culture_tourism', 'civil_affairs', 'construction', 'manufacturing',
  'agriculture', 'postal', 'public_service',
] as const;

export function industryWord(industry: Schema['Industry']): string {
  const words: Record<Schema['Industry'], [string, string]> = {
    education: ['教育', 'Education'],
    transport: ['交通', 'Transport'],
    health: ['卫生健康', 'Health'],
    commerce: ['商务', 'Commerce'],
    catering: ['餐饮', 'Catering'],
    culture_tourism: ['文化旅游', 'Culture and tourism'],
    civil_affairs: ['民政', 'Civil affairs'],
    construction: ['住房建设', 'Construction'],
    manufacturing: ['工业', 'Manufacturing'],
    agriculture: ['农业', 'Agriculture'],
    postal: ['邮政快递', 'Post and couriers'],
    public_service: ['公共服务', 'Public services'],
  };
  return say(...words[industry]);
}

export function channelWord(channel: string): string {
  const words: Record<string, [string, string]> = { app: ['应用', 'App'], sms: ['短信', 'SMS'], display: ['屏幕', 'Screens'], web: ['网页', 'Web'] };
  const found = words[channel];
  return found ? say(...found) : channel;
}

const reasonsForThePublic: Record<PublicReason, [string, string]> = {
  wrong_place: ['地点或范围有误', 'The place or area was wrong'],
  wrong_people: ['发送对象有误', 'It was sent to the wrong people'],
  wrong_time: ['时间有误', 'The time was wrong'],
  wrong_finding: ['依据的检测结果或报告已更正', 'A test result or report behind it was corrected'],
  wrong_measure: ['要求的措施有误', 'It asked for the wrong thing to be done'],
  sent_by_mistake: ['误发', 'It was sent by mistake'],
  over: ['情况已解除', 'The danger is over'],
};

/** The reasons that may be told to the public, in the order in which they are offered. */
export const publicReasons = Object.keys(reasonsForThePublic) as PublicReason[];

export function publicReasonWord(reason: PublicReason): string {
  return say(...reasonsForThePublic[reason]);
}
