// Something that a person has asked for: whether it is under way, and why it did not work the last time.
import { asProblem, type Problem } from './client.ts';

export class Attempt {
  busy = $state(false);
  problem = $state.raw<Problem | null>(null);

  /** Does it. What goes wrong stands in `problem`, and nothing after the fault is done. */
  async at(work: () => Promise<unknown>): Promise<void> {
    this.busy = true;
    this.problem = null;
    try {
      await work();
    } catch (thrown) {
      this.problem = asProblem(thrown);
    } finally {
      this.busy = false;
    }
  }
}
