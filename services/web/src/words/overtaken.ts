// What somebody has done with an alert that others have open, as a sentence with their name.
import { tongue, type Tongue } from './say.svelte.ts';

const deeds: Record<string, [zh: string, en: string]> = {
  edit: ['已修改', 'has changed it'],
  submit: ['已提交', 'has handed it in'],
  pass_district: ['已审核通过', 'has passed it'],
  return_district: ['已退回', 'has returned it'],
  approve: ['已批准', 'has approved it'],
  return_city: ['已退回', 'has returned it'],
  refuse: ['已驳回', 'has refused it'],
  compose_urgent: ['已提交紧急推送', 'has handed it in as an urgent push'],
  confirm: ['已确认推送', 'has confirmed it: it is being sent'],
  decline: ['未予确认，已退回', 'has declined it'],
  release: ['已开始推送', 'has begun to send it'],
  handed_over: ['已推送完成', 'has handed it over to everybody'],
  close: ['已将其结束', 'has ended it'],
  cancel: ['已停止并撤销', 'has stopped and withdrawn it'],
  supersede: ['已用更正替代', 'has replaced it by its correction'],
  discard: ['已作废', 'has thrown it away'],
  records_ended: ['收到来源对记录的更正或撤回', 'was told by a source that records behind it were wrong'],
  leave_out: ['已将部分人移出受众', 'has taken people out of its audience'],
  withdraw: ['已对部分人撤销', 'has withdrawn it for some people'],
  stop: ['已停止推送，正在核实', 'has stopped it: it is being checked'],
  resume: ['已恢复推送', 'lets it go on'],
  ask_withdraw: ['请求撤回，等待第二人确认', 'asks for it to be withdrawn; a second officer has to confirm'],
  ask_all_clear: ['请求解除，等待第二人确认', 'asks for the all-clear; a second officer has to confirm'],
  ask_correct: ['请求更正，等待第二人确认', 'asks for a correction; a second officer has to confirm'],
  confirm_withdraw: ['已确认撤回', 'has confirmed the withdrawal'],
  confirm_all_clear: ['已确认解除', 'has confirmed the all-clear'],
  confirm_correct: ['已确认更正', 'has confirmed the correction'],
  refuse_retraction: ['不同意该请求', 'has refused the request'],
  take_back_retraction: ['已收回请求', 'has taken the request back'],
  comment: ['写了批注', 'has commented on it'],
  resolve_comment: ['解决了一条批注', 'has resolved a comment'],
};

/** `张三已批准。` */
export function overtakenWord(action: string, who: string, language: Tongue = tongue()): string {
  const [zh, en] = deeds[action] ?? ['作了处理', 'has dealt with it'];
  return language === 'en' ? `${who} ${en}.` : `${who}${zh}。`;
}
