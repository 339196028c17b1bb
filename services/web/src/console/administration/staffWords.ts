// What roles do, in the words of the people who give them out (CQ5).
import type { Role } from '../../words/alert.ts';
import { say } from '../../words/say.svelte.ts';

export const roles = [
  'city_command_officer', 'district_reviewer', 'submitting_unit', 'industry_supervisor', 'community_worker', 'technical_operator', 'auditor', 'administrator',
  'hotline_operator', 'unit_handler', 'unit_lead', 'supervisor',
] as const satisfies readonly Role[];

/** What somebody of this role does. */
export function roleMeans(role: Role): string {
  const words: Record<Role, [string, string]> = {
    city_command_officer: ['终审全市弹窗，发起和确认紧急推送，制定规则', 'Approves alerts of the whole city, composes and confirms urgent ones, decides about rules'],
    district_reviewer: ['初审本区县弹窗，随访本区县居民', 'Reviews alerts of one district first, and follows up its residents'],
    submitting_unit: ['报送风险记录，撰写并提交弹窗', 'Delivers risk records, writes and submits alerts'],
    industry_supervisor: ['查看和监督本行业', 'Sees and supervises one industry'],
    community_worker: ['随访本社区居民，上报情况，回复反馈', 'Follows up the residents of one community, reports, answers feedback'],
    technical_operator: ['维护平台运行，可立即运行定时任务，看不到个人信息', 'Runs the platform and its scheduled work, sees no personal data'],
    auditor: ['查看全部操作痕迹，不能操作', 'Reads the trace of everything, changes nothing'],
    administrator: ['管理账号、密钥和屏幕，看不到弹窗和居民', 'Looks after accounts, keys and screens; sees no alerts and no residents'],
    hotline_operator: ['接听来电，当场答复或登记诉求，复核他人的登记，回访', 'Takes calls, answers at once or registers a case, checks what others registered, calls back'],
    unit_handler: ['签收本单位的工单，办理并告知结果', 'Signs for the orders of one unit, deals with them and tells the result'],
    unit_lead: ['审定本单位的办理结果，申请延期，对职责有异议时说明依据', 'Decides on the results of one unit, asks for more time, disputes competence with its ground'],
    supervisor: ['督办超时和临近超时的诉求，裁定职责争议', 'Follows up cases that are late or about to be, decides disputes about competence'],
  };
  return say(...words[role]);
}
