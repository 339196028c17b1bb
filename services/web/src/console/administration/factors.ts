// Who among the staff has no second factor yet.
import type { FactorKind } from '../security/contract.ts';
import type { Account } from './scope.ts';

/** The kinds of second factor that an account has. */
export function factorsOf(account: Pick<Account, 'factors'>): FactorKind[] {
  return [...new Set(account.factors ?? [])];
}

/** Whether an account in use has none: its password alone would be enough to be asked for one. Where nothing is told of factors, nobody lacks one. */
export function lacksFactor(account: Pick<Account, 'factors' | 'disabled_at' | 'awaits_owner'>): boolean {
  return account.factors?.length === 0 && !account.disabled_at && !account.awaits_owner;
}
