import { describe, expect, it } from 'vitest';
import { partsOf, scopeOf, sought, type Account } from './scope.ts';

describe('a scope', () => {
  it.each(['city', 'district:500103', 'industry:education', 'community:500103001001', 'unit:12'])('%s survives being taken apart', (scope) => {
    const { kind, code } = partsOf(scope);
    expect(scopeOf(kind, code)).toBe(scope);
  });

  it('is none until it is complete', () => {
    expect([scopeOf('community', '500103001'), scopeOf('district', ''), scopeOf('industry', '')]).toEqual(['', '', '']);
  });
});

describe('accounts', () => {
  const account = (login: string, role: Account['role'], scope: string) => ({ login, name: `姓名 ${login}`, role, scope }) as Account;
  const all = [account('review.500103', 'district_reviewer', 'district:500103'), account('admin', 'administrator', 'city')];

  it('are found by login, place and role', () => {
    const place = ({ scope }: Account) => (scope === 'city' ? '全市' : '渝中区');
    expect(sought(all, 'REVIEW', '', place)).toEqual([all[0]]);
    expect(sought(all, '渝中', '', place)).toEqual([all[0]]);
    expect(sought(all, '', 'administrator', place)).toEqual([all[1]]);
  });
});
