// How far the story has come: five steps, decided from what can be seen of the platform. No I/O.

/** What is seen. */
export interface Seen {
  /** Somebody is signed in to the app of this browser. */
  registered: boolean;
  /** The person was reported. */
  reported: boolean;
  /** Where the alert of the report stands; null before there is one. */
  state: string | null;
  /** How many texts about alerts, not codes, the phone got since the approval. */
  texts: number;
  acknowledged: boolean;
}

export type Step = 'register' | 'report' | 'district' | 'city' | 'resident';
export const steps: readonly Step[] = ['register', 'report', 'district', 'city', 'resident'];

const passed = ['city_review', 'approved', 'dispatching', 'active', 'closed'];
const approved = ['approved', 'dispatching', 'active', 'closed'];

export function isDone(step: Step, seen: Seen): boolean {
  switch (step) {
    case 'register':
      return seen.registered;
    case 'report':
      return seen.state !== null;
    case 'district':
      return passed.includes(seen.state ?? '');
    case 'city':
      return approved.includes(seen.state ?? '');
    case 'resident':
      return seen.acknowledged;
  }
}

/** The first step that is not done; null at the end. */
export function current(seen: Seen): Step | null {
  return steps.find((step) => !isDone(step, seen)) ?? null;
}

/** Codes are not alerts. */
export const isAlertText = (text: string): boolean => !/验证码/.test(text);

/** Minutes until the quiet hours (22:00–07:00 in the city) are over; 0 outside them. */
export function minutesToMorning(at: number): number {
  const local = new Date(at + 8 * 3_600_000);
  const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
  if (minute >= 7 * 60 && minute < 22 * 60) return 0;
  return minute < 7 * 60 ? 7 * 60 - minute + 1 : 24 * 60 - minute + 7 * 60 + 1;
}
