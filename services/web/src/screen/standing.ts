// Whether the platform still knows this screen's key. A proxy, a firewall or a login page of the building's network may refuse in its place, and
// an old copy of the database may not have heard of a new key: a screen must not go dark for that, nor forget a key that was shown once.

/** As the platform says it of a key that it does not know; nobody else says that. */
const UNKNOWN = 'credential_unknown';
/** It has to say so as often, */
const TIMES = 3;
/** over so many milliseconds, of a key that was good before. */
const DOUBTED = 10 * 60_000;

export class Standing {
  #wasGood: boolean;
  #times = 0;
  #since = 0;

  /** `wasGood`: the platform has known this key before. */
  constructor(wasGood: boolean) {
    this.#wasGood = wasGood;
  }

  /** Takes an answer in, with the code of the problem that it carries, if one. True: the platform does not know the key, or no longer. */
  took(status: number, code: string | undefined, at: number): boolean {
    if (status >= 200 && status < 300) {
      this.#wasGood = true;
      this.#times = 0;
    }
    if (status !== 401 || code !== UNKNOWN) return false;
    if (!this.#wasGood) return true;
    if (this.#times === 0) this.#since = at;
    this.#times += 1;
    return this.#times >= TIMES && at - this.#since >= DOUBTED;
  }
}

/** The code of the problem that an answer carries. */
export async function codeOf(answer: Response): Promise<string | undefined> {
  if (!answer.headers.get('content-type')?.startsWith('application/problem+json')) return undefined;
  try {
    return ((await answer.json()) as { code?: string }).code;
  } catch {
    return undefined;
  }
}
