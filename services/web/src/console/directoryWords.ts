// What is said to whom the directory has not let in.
import { say } from '../words/say.svelte.ts';
import type { Refusal } from './directory.ts';

export function refusalWord(refusal: Refusal): string {
  const words: Record<Refusal, [string, string]> = {
    away: ['目录暂时无法使用，请改用账号和密码或通行密钥登录。', 'The directory does not answer at the moment. Sign in with name and password, or with a passkey.'],
    broken_off: ['目录登录没有完成，请重试，或改用账号和密码。', 'The sign-in at the directory was broken off. Try again, or use name and password.'],
    refused: ['目录登录未通过核对，请重新点击目录登录，或改用账号和密码。', 'The sign-in at the directory did not hold. Begin again, or use name and password.'],
    not_bound: ['您的目录身份还没有绑定可用的账号：请联系管理员绑定；新账号须先用启用码设置自己的密码。', 'Your name in the directory is bound to no account that can be used: ask the administrators to bind it. A new account needs its own password first.'],
    too_many: ['登录过于频繁，请稍候几分钟重试，或改用账号和密码。', 'Too many sign-ins at once. Try again in a few minutes, or use name and password.'],
  };
  return say(...words[refusal]);
}
