// Which enrolment this browser knows to be its owner's: another one is told to them, because it may be a thief's.

const KEPT = 'fenghuo.enrolled';
const RECENT_MS = 14 * 86_400_000;

/** Notes that the newest factor of this account is known to its owner. */
export function noteEnrolment(whose: string, enrolledAt: string | null | undefined): void {
  if (!enrolledAt) return;
  try {
    localStorage.setItem(`${KEPT}.${whose}`, enrolledAt);
  } catch {
    // Then it is told once more, which does no harm.
  }
}

function noted(whose: string): number {
  try {
    return Date.parse(localStorage.getItem(`${KEPT}.${whose}`) ?? '') || 0;
  } catch {
    return 0;
  }
}

/** Whether the account got a factor lately that this browser knows nothing of. */
export function isNews(whose: string, enrolledAt: string | null | undefined, at: number): boolean {
  if (!enrolledAt) return false;
  const enrolled = Date.parse(enrolledAt);
  return enrolled > noted(whose) && at - enrolled < RECENT_MS;
}
