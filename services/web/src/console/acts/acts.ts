// One's own acts in words, and where the thing lies that each was done to.
import { stepWord, type Action } from '../../words/alert.ts';
import { say } from '../../words/say.svelte.ts';
import { eventWord } from '../casework/words.ts';
import type { Act } from './contract.ts';

const words: Record<string, [string, string]> = {
  'session.begin': ['登录', 'Signed in'],
  'session.end': ['退出登录', 'Signed out'],
  'session.end_others': ['结束其他登录', 'Ended other sessions'],
  'session.prove': ['再次证明是本人', 'Proved who you are'],
  'session.refuse_proof': ['身份验证未通过', 'A proof was refused'],
  'staff.change_password': ['修改密码', 'Changed your password'],
  'staff.change': ['变更账号', 'Changed an account'],
  'factor.renew_recovery_codes': ['更换恢复代码', 'Renewed recovery codes'],
  'device.forget': ['忘记记住的设备', 'Forgot known devices'],
  'api_key.revoke': ['停用密钥', 'Revoked a key'],
  'alert.send_again': ['再次推送', 'Sent again'],
  'audience.ask': ['统计受众人数', 'Counted an audience'],
  'audit.export': ['导出审计记录', 'Exported the trail'],
  'dead_letter.deliver_again': ['重投死信', 'Delivered a dead letter again'],
  'district_facts.replace': ['填写区县内容', 'Filled in district facts'],
  'feedback.answer': ['答复居民反馈', 'Answered a resident'],
  'identity.proved': ['核验证件', 'Proved an identity'],
  'identity.not_as_claimed': ['证件不符', 'Found an identity not as claimed'],
  'identity.objection_settled': ['处理证件异议', 'Settled an objection'],
  'job.run': ['运行定时任务', 'Ran a job'],
  'number.changed': ['变更手机号', 'Changed a phone number'],
  'proposal.propose': ['提出账号变更', 'Proposed a change'],
  'proposal.object': ['反对账号变更', 'Objected to a change'],
  'proposal.withdraw': ['收回账号变更', 'Withdrew a change'],
  'proposal.emergency': ['紧急生效账号变更', 'Put a change in force in an emergency'],
  'records.deliver': ['上传记录', 'Delivered records'],
  'records.preview': ['预览记录', 'Looked at records before delivery'],
  'records.read': ['查看依据的记录', 'Read the records behind an alert'],
  'refused_rows.open': ['打开被拒的行', 'Opened refused rows'],
  'source.expect': ['设置来源', 'Set what a source brings'],
  'standing.lift': ['解除个人要求', 'Lifted a standing'],
  'standings.read': ['查看个人要求', 'Read standings'],
  'alerts.export': ['开始导出弹窗列表', 'Began to export alerts'],
  'alerts.exported': ['导出弹窗列表', 'Exported alerts'],
  'follow_ups.export': ['开始导出随访列表', 'Began to export follow-ups'],
  'follow_ups.exported': ['导出随访列表', 'Exported follow-ups'],
  'deliveries.export': ['开始导出推送列表', 'Began to export deliveries'],
  'deliveries.exported': ['导出推送列表', 'Exported deliveries'],
  'alert.go_on': ['核实后放行推送', 'Let sending go on'],
  alert_comment: ['写批注', 'Commented'],
  alert_resolve_comment: ['解决批注', 'Resolved a comment'],
  alert_reopen_comment: ['重新打开批注', 'Opened a comment again'],
  alert_claim: ['认领审核', 'Claimed a review'],
  alert_take_over_claim: ['接手审核', 'Took a review over'],
  alert_release_claim: ['放开审核', 'Released a review'],
  alert_look: ['看过全文', 'Had the whole before you'],
  screen_registered: ['登记屏幕', 'Registered a screen'],
  screen_retired: ['停用屏幕', 'Retired a screen'],
  case_taken: ['记下诉求', 'Wrote a case down'],
  case_read: ['查看诉求', 'Read a case'],
  cases_read: ['查看诉求列表', 'Read a list of cases'],
  case_callers_read: ['查看来电人以前的诉求', 'Read earlier cases of a caller'],
  case_contact_opened: ['打开诉求的联系方式', 'Opened the contact of a case'],
  unit_made: ['新建承办单位', 'Made a unit'],
  contact_opened: ['打开居民联系方式', 'Opened a resident’s contact'],
  'follow_up.outcome': ['登记随访结果', 'Entered the outcome of a visit'],
  'rule.save': ['保存规则', 'Saved a rule'],
  'rule.activate': ['启用规则', 'Activated a rule'],
  'rule.deactivate': ['停用规则', 'Deactivated a rule'],
  'staff.create': ['新建账号', 'Created an account'],
  'staff.disable': ['停用账号', 'Disabled an account'],
  'staff.enable': ['启用账号', 'Enabled an account'],
  'staff.reset_password': ['重置账号', 'Reset an account'],
  'staff.end_sessions': ['结束他人的登录', 'Ended somebody’s sessions'],
  'staff.activate': ['启用自己的账号', 'Activated your account'],
  'factor.enrol': ['登记第二因素', 'Enrolled a second factor'],
  'factor.remove': ['移除第二因素', 'Removed a second factor'],
  'factor.rename': ['改第二因素名称', 'Renamed a second factor'],
  'api_key.create': ['新建密钥', 'Created a key'],
};

/** What was done: in words where they are known, else by its name in the trail. */
export function actWord(action: string): string {
  const known = words[action];
  if (known) return say(...known);
  if (action.startsWith('case_')) return eventWord(action.slice('case_'.length));
  const step = action.startsWith('alert_') ? action.slice('alert_'.length) : '';
  try {
    return step ? stepWord(step as Action) : action;
  } catch {
    return action;
  }
}

/** The page of what it was done to, where there is one. */
export function pageOf({ object_kind, object }: Pick<Act, 'object_kind' | 'object'>): string | null {
  if (!object) return null;
  switch (object_kind) {
    case 'alert':
      return `/alerts/${object}`;
    case 'load':
      return `/sources/${object}`;
    case 'rule':
      return '/rules';
    case 'proposal':
      return '/proposals';
    case 'case':
      return `/casework/${object}`;
    case 'job':
      return `/jobs/${object}`;
    default:
      return null;
  }
}

/** The reason that was given, where one was. */
export function reasonOf({ detail }: Pick<Act, 'detail'>): string {
  const reason = detail['reason'];
  return typeof reason === 'string' ? reason : '';
}

/** The district as pages write it: six digits. */
export function districtOf({ district }: Pick<Act, 'district'>): string | null {
  return district == null ? null : String(district).padStart(6, '0');
}
