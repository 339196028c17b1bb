// The words of the second factor: with what one proves who one is, and what is said when that did not work.
import type { Problem } from '../api/client.ts';
import type { FactorKind, ProofKind } from '../console/security/contract.ts';
import { say } from './say.svelte.ts';
import { exactTime, span } from './time.svelte.ts';

/** How a person proves it: the kinds that are typed as a code are one way. */
export type Way = 'passkey' | 'code' | 'recovery_code';

export function factorWord(kind: FactorKind): string {
  const words: Record<FactorKind, [string, string]> = { passkey: ['通行密钥', 'Passkey'], totp: ['验证器应用', 'Authenticator app'], demo: ['演示动态码', 'Code of the demo'] };
  return say(...words[kind]);
}

export function wayWord(way: Way): string {
  const words: Record<Way, [string, string]> = { passkey: ['用通行密钥', 'Use a passkey'], code: ['输入动态码', 'Enter a code'], recovery_code: ['用恢复码', 'Use a recovery code'] };
  return say(...words[way]);
}

/** The ways open to a person, the easiest first. */
export function waysOf(kinds: readonly ProofKind[], withPasskeys: boolean): Way[] {
  const open: [Way, boolean][] = [
    ['passkey', withPasskeys && kinds.includes('passkey')],
    ['code', kinds.includes('totp') || kinds.includes('demo')],
    ['recovery_code', kinds.includes('recovery_code')],
  ];
  return open.filter(([, is]) => is).map(([way]) => way);
}

/** How far a device's clock may be off before its codes are refused. */
const TOLERATED_MS = 30_000;

/** What went wrong with a proof, and what to do: the sentences to be shown. */
export function proofRefused(problem: Problem, way: Way, { off, at, others = [] }: { off: number; at: number; others?: readonly Way[] }): string[] {
  if (problem.status === 429) {
    const when = problem.retryAfter ? exactTime(at + problem.retryAfter * 1000) : null;
    const else_ = others.filter((other) => other !== way).map(wayWord);
    return [
      when ? say(`错误次数过多，${when} 之后可以再试。`, `Too many wrong tries. Try again after ${when}.`) : say('错误次数过多，请稍后再试。', 'Too many wrong tries. Try again later.'),
      ...(way === 'code' && else_.length ? [say(`现在仍可以${else_.join('，或')}。`, `You can still: ${else_.join(', ').toLowerCase()}.`)] : []),
    ];
  }
  if (problem.code === 'code_already_used') return [say('这个动态码已经用过，每个只能用一次。请等应用显示下一个（最多 30 秒）。', 'This code was used already; each is good once. Wait for the next one in the app (30 seconds at most).')];
  if (problem.code !== 'proof_refused') return [problem.sentence];
  if (way === 'passkey') return [say('平台不认识这个通行密钥，可能已被删除。请换一种方式。', 'The platform does not know this passkey; it may have been removed. Use another way.')];
  if (way === 'recovery_code') return [say('恢复码不正确，或已经用过。请核对后输入另一个。', 'That recovery code is wrong or was used already. Check it, or enter another.')];
  const wrong = say('动态码不正确或已过期。请输入应用现在显示的 6 位数字。', 'That code is wrong or no longer good. Enter the six digits that the app shows now.');
  if (Math.abs(off) <= TOLERATED_MS) return [wrong, say('如果一直不对，请把手机的时间设为自动。', 'If it stays wrong, set the time of your phone to automatic.')];
  const apart = span(off);
  return [wrong, off > 0 ? say(`这台设备的时间比平台快 ${apart}。时间不准，动态码就不对：请把手机和本机的时间设为自动。`, `The clock of this device is ${apart} ahead of the platform's. Codes need the right time: set your phone and this device to automatic time.`) : say(`这台设备的时间比平台慢 ${apart}。时间不准，动态码就不对：请把手机和本机的时间设为自动。`, `The clock of this device is ${apart} behind the platform's. Codes need the right time: set your phone and this device to automatic time.`)];
}
