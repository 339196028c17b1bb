import { expect, it } from 'vitest';
import { aboutWhom, alarms, differences, type Proposal } from './proposals.ts';

const NOW = Date.parse('2026-11-20T00:00:00Z');
const proposal = (id: string, more: object) => ({ id, change: { kind: 'reset_account' }, state: 'waiting', emergency: null, decided_at: null, open_steps: [], ...more }) as unknown as Proposal;
const emergency = { declared_at: '2026-11-10T00:00:00Z', reason: '', alone_from: '2026-11-10T00:15:00Z' };

it('rings for what one administrator does alone, until a week after it took effect', () => {
  const all = [
    proposal('usual', {}),
    proposal('declared', { emergency }),
    proposal('stopped', { emergency, state: 'objected', decided_at: '2026-11-19T00:00:00Z' }),
    proposal('yesterday', { emergency, state: 'effective', decided_at: '2026-11-19T00:00:00Z' }),
    proposal('long ago', { emergency, state: 'effective', decided_at: '2026-11-12T00:00:00Z' }),
  ];
  expect(alarms(all, NOW).map(({ id }) => id)).toEqual(['declared', 'yesterday']);
});

it('says whom it is about before there is an account, and after', () => {
  const account = { login: 'duty.night', name: '值班', role: 'auditor', scope: 'city' } as const;
  expect(aboutWhom({ change: { kind: 'make_account', account }, staff: null })).toBe('duty.night');
  expect(aboutWhom({ change: { kind: 'reset_account' }, staff: { id: '1', ...account } })).toBe('duty.night');
});

it('shows only what differs', () => {
  const before = { name: '值班', role: 'submitting_unit', scope: 'city' } as const;
  const after = { ...before, role: 'city_command_officer' } as const;
  expect(differences({ kind: 'change_account', before, after })).toEqual(['role']);
  expect(differences({ kind: 'reset_account' })).toEqual([]);
});
