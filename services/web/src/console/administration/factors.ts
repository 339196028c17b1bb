// Who among the staff has no second factor yet and must have one.
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
