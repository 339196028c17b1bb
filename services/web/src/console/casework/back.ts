// From which list a case was opened: its page leads back there.

let from = '/casework';

/** The list that is open now. */
export function leaveFrom(path: string): void {
  from = path;
}

export const backPath = (): string => from;
