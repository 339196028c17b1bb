// Who may ask for the whole number of whoever brought a case, and how a purpose has to be put. No I/O.
import type { Role } from '../../words/alert.ts';
import type { CaseLine } from './contract.ts';

/** So many characters a purpose has, as the platform takes it. */
export const PURPOSE = { least: 5, most: 200 } as const;
export const isPurpose = (text: string): boolean => {
  const length = [...text.trim()].length;
  return length >= PURPOSE.least && length <= PURPOSE.most;
};

/** Operators, and those of the unit that leads it. The platform decides and keeps each opening. */
export function mayOpenPhone({ role, scope }: { role: Role; scope: string }, file: Pick<CaseLine, 'anonymous' | 'lead'>): boolean {
  if (file.anonymous) return false;
  return role === 'hotline_operator' || ((role === 'unit_handler' || role === 'unit_lead') && scope === `unit:${file.lead?.unit_id}`);
}
