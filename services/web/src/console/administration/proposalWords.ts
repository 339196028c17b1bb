// What a proposed change of an account or key would do, in words.
import { say } from '../../words/say.svelte.ts';
import type { Part, Proposal, Step } from './proposals.ts';

export function partWord(part: Part): string {
  const words: Record<Part, [string, string]> = { name: ['姓名或岗位', 'Name or post'], role: ['角色', 'Role'], scope: ['范围', 'Scope'] };
  return say(...words[part]);
}

/** What it is, in a few words. */
export function changeWord(change: Proposal['change']): string {
  switch (change.kind) {
    case 'make_account':
      return say('新建账号', 'New account');
    case 'change_account':
      return say('变更账号', 'Change of an account');
    case 'enable_account':
      return say('重新启用账号', 'Enable an account again');
    case 'disable_account':
      return say('停用账号', 'Disable an account');
    case 'reset_account':
      return say('重置账号', 'Reset an account');
    case 'lift_waiting':
      return say('提前解除等待期', 'Lift the waiting time');
    case 'bind_directory':
      return say('绑定目录身份', 'Bind to the directory');
    case 'make_key':
      return say('新建来源密钥', 'New key of a source');
    case 'move_key':
      return say('变更密钥可用网络', 'Other networks of a key');
  }
}

/** What holds once it is confirmed. */
export function effectWord(change: Proposal['change']): string {
  switch (change.kind) {
    case 'make_account':
      return say('使用者用两段启用码设置自己的密码，再设置验证方式；能审批、确认或发送的账号等待期满后才能行使。', 'Its owner sets a password with both halves of the code, and a second factor; if it approves, confirms or sends, it waits first.');
    case 'change_account':
      return say('从下一次请求起生效；权限扩大的账号等待期满后才能审批、确认或发送。', 'It holds from the next request on; an account with more power waits before it approves, confirms or sends.');
    case 'enable_account':
      return say('可以再次登录；等待期满后才能审批、确认或发送。', 'It can sign in again; it waits before it approves, confirms or sends.');
    case 'disable_account':
      return say('立即退出，不能再登录；停用后留下的管理员或市级指挥部人员很少。', 'It is signed out at once and cannot sign in; few administrators or officers of the city command are left.');
    case 'reset_account':
      return say('旧密码、所有登录、验证方式、恢复码和已知设备立即失效，使用者用两段启用码设置新密码，再设置新的验证方式。', 'Its password, sessions, second factors, recovery codes and known devices end at once; its owner sets a new password with both halves of a code, and a new second factor.');
    case 'lift_waiting':
      return say('该账号立即可以审批、确认和发送。', 'It may approve, confirm and send at once.');
    case 'bind_directory':
      return say('目录中的此人可以登录该账号，原来绑定的人立即退出；能审批、确认或发送的账号等待期满后才能行使。', 'Whoever the directory means may sign in as this account, and whoever it was bound to is signed out; if it approves, confirms or sends, it waits first.');
    case 'move_key':
      return say('密钥立即只能从新的网络使用，其他地方一律拒绝并留痕。', 'The key is good from the new networks only, at once; from elsewhere it is refused, and that is traced.');
    case 'make_key':
      return say('该单位把两段密钥直接相连，即可报送。', 'The unit joins both halves without a space and can deliver.');
  }
}

export function stateWord(state: Proposal['state']): string {
  const words: Record<Proposal['state'], [string, string]> = {
    waiting: ['待确认', 'Waits'],
    effective: ['已生效', 'In effect'],
    withdrawn: ['已撤回', 'Withdrawn'],
    objected: ['已否决', 'Stopped'],
    expired: ['已过期', 'Expired'],
  };
  return say(...words[state]);
}

export function stepWord(step: Step): string {
  const words: Record<Step, [string, string]> = {
    confirm: ['确认', 'Confirm'],
    withdraw: ['撤回', 'Withdraw'],
    object: ['否决', 'Stop it'],
    declare_emergency: ['紧急情况', 'Emergency'],
  };
  return say(...words[step]);
}
