// One's own acts in words, and where the thing lies that each was done to.
import { stepWord, type Action } from '../../words/alert.ts';
import { say } from '../../words/say.svelte.ts';
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
  alert_export: ['导出弹窗列表', 'Exported alerts'],
  'alert.export': ['导出弹窗列表', 'Exported alerts'],
  'alerts.export': ['导出弹窗列表', 'Exported alerts'],
  'follow_ups.export': ['导出随访列表', 'Exported follow-ups'],
  'deliveries.export': ['导出推送列表', 'Exported deliveries'],
};

/** What was done: in words where they are known, else by its name in the trail. */
export function actWord(action: string): string {
  const known = words[action];
  if (known) return say(...known);
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
  return district === null ? null : String(district).padStart(6, '0');
}
