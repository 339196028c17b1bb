// The table of scheduled work as a page holds it: looked at now and then, every second while something runs, and asked to run a job now.
import { Attempt } from '../../api/attempt.svelte.ts';
import { data } from '../../api/client.ts';
import { Watched } from '../live.svelte.ts';
import { api, staff } from '../session.svelte.ts';
import type { Job, Run } from './jobWords.ts';

const AT_REST_MS = 15_000;
const MOVING_MS = 1000;

export class JobTable {
  readonly jobs: Watched<Job[]>;
  readonly doing = new Attempt();
  /** Whether the one who is signed in runs the platform, and so its jobs. */
  readonly runs = staff()?.role === 'technical_operator';
  /** The run that was asked for here and has ended. */
  ended = $state.raw<{ job: Job; run: Run } | null>(null);
  #asked = $state.raw<{ name: string; run_id: number } | null>(null);

  constructor() {
    this.jobs = new Watched(() => data(api.GET('/api/v1/jobs')), { concerns: () => false, every: AT_REST_MS });
    $effect(() => {
      if (!this.moving) return;
      const timer = setInterval(() => document.visibilityState === 'visible' && void this.jobs.look(), MOVING_MS);
      return () => clearInterval(timer);
    });
    $effect(() => {
      const asked = this.#asked;
      if (!asked) return;
      const job = this.of(asked.name);
      if (job?.last?.run_id !== asked.run_id) return;
      [this.ended, this.#asked] = [{ job, run: job.last }, null];
    });
  }

  /** Whether something runs or is about to. */
  get moving(): boolean {
    return (this.jobs.value ?? []).some((job) => job.current);
  }

  of(name: string): Job | undefined {
    return this.jobs.value?.find((job) => job.name === name);
  }

  /** Has a job run now. */
  async run(name: string): Promise<void> {
    this.ended = null;
    await this.doing.at(async () => {
      const run = await data(api.POST('/api/v1/jobs/{name}/runs', { params: { path: { name } } }));
      this.#asked = { name, run_id: run.run_id };
    });
    // also when it was refused: somebody else's run may be what it shows
    await this.jobs.look();
  }
}
