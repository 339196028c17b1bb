// The city's own directory of staff, where it has one: the way there from the sign-in page, and what became of a sign-in there.
import { data } from '../api/client.ts';
import { say } from '../words/say.svelte.ts';
import { api } from './session.svelte.ts';

const WHY = 'directory';

/** What staff call the directory; null where there is none to sign in through. */
export async function offeredDirectory(): Promise<{ name: string; name_en: string } | null> {
  const { name, name_en } = await data(api.GET('/api/v1/session/directory'));
  return name && name_en ? { name, name_en } : null;
}

/** The address that leads a browser to the directory, and from there back to this page. */
export function wayToDirectory(pathname: string, search: string): string {
  const query = new URLSearchParams(search);
  query.delete(WHY);
  const to = pathname + (query.size ? `?${query}` : '');
  return `/api/v1/session/directory/begin?${new URLSearchParams({ to })}`;
}

/** Why somebody was led back from the directory without being let in; null where nobody was. */
export function whyNot(search: string): string | null {
  const code = new URLSearchParams(search).get(WHY);
  if (!code) return null;
  const words: Record<string, [string, string]> = {
    away: ['目录暂时无法使用，请改用账号和密码或通行密钥登录。', 'The directory does not answer at the moment. Sign in with name and password, or with a passkey.'],
    broken_off: ['目录登录没有完成，请重试，或改用账号和密码。', 'The sign-in at the directory was broken off. Try again, or use name and password.'],
    refused: ['目录登录未通过核对，请重新点击目录登录，或改用账号和密码。', 'The sign-in at the directory did not hold. Begin again, or use name and password.'],
    not_bound: ['您的目录身份还没有绑定可用的账号：请联系管理员绑定；新账号须先用启用码设置自己的密码。', 'Your name in the directory is bound to no account that can be used: ask the administrators to bind it. A new account needs its own password first.'],
    too_many: ['登录过于频繁，请稍候几分钟重试，或改用账号和密码。', 'Too many sign-ins at once. Try again in a few minutes, or use name and password.'],
  };
  // what somebody else has put there is no reason
  return say(...((Object.hasOwn(words, code) && words[code]) || words['refused']!));
}
