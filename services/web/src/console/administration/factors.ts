// Who among the staff has no second factor yet and must have one.
import type { Schema } from '../../api/client.ts';
import type { Role } from '../../words/alert.ts';
import type { FactorKind } from '../security/contract.ts';
import type { Account } from './scope.ts';

/** Whose role must have one. The platform decides (`domain::second_factor`); here it only says whom to remind. */
function needsOne(role: Role): boolean {
  const needs: Record<Role, boolean> = {
    city_command_officer: true, district_reviewer: true, community_worker: true, technical_operator: true, administrator: true,
    hotline_operator: true, unit_handler: true, unit_lead: true, supervisor: true,
    submitting_unit: false, industry_supervisor: false, auditor: false,
  };
  return needs[role];
}

/** The kinds of second factor that an account has. */
export function factorsOf(account: Pick<Account, 'factors'>): FactorKind[] {
  return [...new Set(account.factors ?? [])];
}

/** Whether an account in use has none and must: at its next sign-in it enrols one. */
export function lacksFactor(account: Pick<Account, 'role' | 'factors' | 'disabled_at' | 'awaits_owner'>): boolean {
  return factorsOf(account).length === 0 && needsOne(account.role) && !account.disabled_at && !account.awaits_owner;
}

/** For so long it is told of an account that it has enrolled on a password alone. */
const TOLD_MS = 14 * 86_400_000;

/** Accounts that have lately enrolled a factor on a password alone, the last first: their owners have to be asked. */
export function enrolledOnPassword<One extends Pick<Schema['ListedStaff'], 'disabled_at' | 'factor_on_password_at'>>(accounts: readonly One[], at: number): One[] {
  const when = (account: One) => Date.parse(account.factor_on_password_at ?? '') || 0;
  return accounts.filter((account) => !account.disabled_at && when(account) && at - when(account) < TOLD_MS).sort((one, other) => when(other) - when(one));
}
