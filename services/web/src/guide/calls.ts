// Who plays in the story of a call, out of the accounts of the demo city. No I/O.
import type { Account } from './demo.ts';

export interface Cast { operator?: Account; checker?: Account; handler?: Account; lead?: Account; supervisor?: Account }

/** The accounts by their roles; the second operator checks what the first wrote. */
export function cast(accounts: readonly Account[]): Cast {
  const of = (role: string) => accounts.filter(({ title }) => title.startsWith(role));
  const [operator, checker] = of('热线坐席');
  return { operator, checker, handler: of('承办单位经办人')[0], lead: of('承办单位负责人')[0], supervisor: of('督办人员')[0] };
}
