// Which scope goes with which role (CQ5), how it is written, and how an account is found.
import type { Schema } from '../../api/client.ts';
import type { Role } from '../../words/alert.ts';

export type Account = Schema['ListedStaff'];

export type ScopeKind = 'city' | 'district' | 'industry' | 'community' | 'unit';

/** The kinds of scope that a role takes. */
export function scopesOf(role: Role): ScopeKind[] {
  switch (role) {
    case 'district_reviewer':
      return ['district'];
    case 'submitting_unit':
      return ['district', 'city'];
    case 'industry_supervisor':
      return ['industry'];
    case 'community_worker':
      return ['community'];
    case 'hotline_operator':
    case 'supervisor':
      return ['city', 'district'];
    case 'unit_handler':
    case 'unit_lead':
      return ['unit'];
    default:
      return ['city'];
  }
}

/** `district:500103` taken apart. */
export function partsOf(scope: string): { kind: ScopeKind; code: string } {
  const [kind, code = ''] = scope.split(':', 2) as [ScopeKind, string?];
  return { kind, code };
}

/** A scope as the platform writes it; empty while it is not complete. */
export function scopeOf(kind: ScopeKind, code: string): string {
  if (kind === 'city') return 'city';
  if (kind === 'industry' || kind === 'unit') return code ? `${kind}:${code}` : '';
  const digits = kind === 'district' ? 6 : 12;
  return code.length >= digits ? `${kind}:${code.slice(0, digits)}` : '';
}

/** Accounts that fit what is looked for: login, name, or the name of their place. */
export function sought(accounts: readonly Account[], text: string, role: Role | '', placeOf: (account: Account) => string): Account[] {
  const wanted = text.trim().toLowerCase();
  return accounts.filter((account) => (!role || account.role === role) && (!wanted || [account.login, account.name, account.scope, placeOf(account)].some((said) => said.toLowerCase().includes(wanted))));
}
