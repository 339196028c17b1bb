// What is done to a case, by when and how, in the words of those who do it.
import { roleWord, type Role } from '../../words/alert.ts';
import { say } from '../../words/say.svelte.ts';
import type { CaseChannel, CaseEvent, CaseGrade, CaseUrgency, ListName, Nature, PromiseKind, Unit } from './contract.ts';

type Pair = [string, string];
const said = <Word extends string>(words: Record<Word, Pair>) => (word: Word): string => {
  const [zh, en] = words[word] ?? [word, word];
  return say(zh, en);
};

/** What happens to a case, as the platform calls it. */
export const eventWord = said<string>({
  answer_at_once: ['当场答复', 'Answer at once and close'],
  register: ['登记', 'Register'],
  confirm_registration: ['核对通过', 'Confirm the registration'],
  correct_registration: ['退回登记', 'Have it corrected'],
  decline: ['不予受理', 'Decline'],
  accept: ['受理', 'Accept'],
  route: ['派单', 'Send to units'],
  sign_for: ['签收', 'Sign for it'],
  refuse_competence: ['提出不属本单位职责', 'Refuse competence'],
  decide_dispute: ['裁定责任单位', 'Decide who is competent'],
  report_progress: ['报告进展', 'Report progress'],
  ask_citizen: ['请群众补充', 'Ask the citizen'],
  finish_assist: ['完成协办', 'Assisting done'],
  release_assist: ['解除协办', 'Let an assisting unit go'],
  ask_extension: ['申请延期', 'Ask for more time'],
  grant_extension: ['同意延期', 'Grant more time'],
  refuse_extension: ['不同意延期', 'Refuse more time'],
  regrade: ['调整等级', 'Class it anew'],
  submit_result: ['提交结果', 'Submit the result'],
  decide: ['审定', 'Decide'],
  send_back: ['退回办理', 'Send back'],
  tell: ['答复', 'Tell the citizen'],
  call_back: ['回访', 'Call back'],
  propose_merge: ['提出并案', 'Propose a merge'],
  merge: ['并案', 'Merge'],
  refuse_merge: ['不同意并案', 'Refuse the merge'],
  supplement: ['群众补充', 'Added to by the citizen'],
  chase: ['群众催办', 'Chased by the citizen'],
  satisfied: ['群众满意', 'Citizen satisfied'],
  not_satisfied: ['群众不满意，复核', 'Citizen not satisfied: review'],
  withdraw: ['群众撤回', 'Withdrawn by the citizen'],
  received: ['收到', 'Received'],
  time_over: ['补充期满', 'Time to answer over'],
  silence: ['期满办结', 'No objection in time: closed'],
  raise: ['升级', 'Raised'],
} satisfies Record<CaseEvent | 'received', Pair>);

/** As what somebody took a step. */
export const actorWord = (role: string): string => (role === 'citizen' ? say('群众', 'the citizen') : role === 'platform' ? say('平台', 'the platform') : roleWord(role as Role));

export const promiseWord = said<PromiseKind>({
  take: ['有人受理', 'Take up'],
  first_check: ['初步核查', 'First check'],
  order: ['派至承办单位', 'Order with the unit'],
  begin: ['开始办理', 'Begin'],
  progress: ['报告进展', 'Report progress'],
  finish: ['办结', 'Finish'],
  review: ['复核办结', 'Review'],
  reroute: ['重新派单', 'Send anew'],
  dispute: ['裁定责任单位', 'Decide the dispute'],
  citizen: ['群众补充', 'Citizen answers'],
  tell: ['答复', 'Tell the citizen'],
  call_back: ['回访', 'Call back'],
  silence: ['异议期', 'Time to object'],
});

export const urgencyWord = said<CaseUrgency>({ ordinary: ['一般', 'Ordinary'], urgent: ['紧急', 'Urgent'], top: ['特急', 'Top'] });
export const gradeWord = said<CaseGrade>({ simple: ['简单', 'Simple'], complex: ['复杂', 'Complex'], major: ['重大', 'Major'] });
export const channelWord = said<CaseChannel>({ web: ['网页', 'Page'], app: ['手机应用', 'App'], call: ['来电', 'Call'], visit: ['来访', 'Visit'], proxy: ['代办', 'Entered for somebody'] });
export const natureWord = said<Nature>({
  consultation: ['咨询', 'Question'],
  complaint: ['投诉', 'Complaint'],
  request_for_help: ['求助', 'Request for help'],
  suggestion: ['建议', 'Suggestion'],
  report: ['举报', 'Report'],
  objection: ['申诉', 'Objection'],
  commendation: ['表扬', 'Praise'],
  other: ['其他', 'Other'],
});

export const levelWord = said<Unit['level']>({ city: ['市级', 'City'], district: ['区县', 'District'], township: ['乡镇街道', 'Township'], community: ['社区', 'Community'] });

/** Why a deadline moved. */
export const changeWord = said<'pause' | 'extension' | 'regrade' | 'notice'>({
  pause: ['等待群众补充，顺延', 'Waited for the citizen'],
  extension: ['经批准延期', 'More time granted'],
  regrade: ['等级调整', 'Classed anew'],
  notice: ['放假安排公布后重算', 'Counted anew after the holiday notice'],
});

export const listWord = said<ListName>({
  desk: ['待处理', 'At the desk'],
  check: ['待我核对', 'To check'],
  callback: ['待回访', 'To call back'],
  inbox: ['本单位在办', 'Our orders'],
  decide: ['待审定', 'To decide'],
  late: ['已超时', 'Late'],
  endangered: ['临近超时', 'Endangered'],
  disputes: ['职责争议', 'Disputes'],
  chased: ['群众催办', 'Chased'],
  extensions: ['延期申请', 'Extensions'],
  merges: ['待确认并案', 'Merges'],
  all: ['全部', 'All'],
});

/** What stands where a list is empty. */
export const emptyWord = said<ListName>({
  desk: ['没有待处理的诉求。', 'Nothing waits at the desk.'],
  check: ['没有等您核对的登记。', 'No registration waits for you to check.'],
  callback: ['没有待回访的诉求。', 'Nobody is to be called back.'],
  inbox: ['本单位没有在办的工单。', 'Your unit has no open order.'],
  decide: ['没有待审定的结果。', 'No result waits for a decision.'],
  late: ['没有超时的诉求。', 'Nothing is late.'],
  endangered: ['没有临近超时的诉求。', 'Nothing is endangered.'],
  disputes: ['没有职责争议。', 'Nobody disputes competence.'],
  chased: ['没有群众催办。', 'Nobody chases.'],
  extensions: ['没有延期申请。', 'Nobody asks for more time.'],
  merges: ['没有待确认的并案。', 'No merge is proposed.'],
  all: ['没有诉求。', 'No cases.'],
});
