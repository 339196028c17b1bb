// The stories of the pages, told to a running platform (FENGHUO_URL) in a real Chromium, one after the other: they share a city.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** They share a city, so they are told in one order, whatever failed or took long the last time. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((one, other) => one.moduleId.localeCompare(other.moduleId));
  }
}

export default defineConfig({
  root: new URL('.', import.meta.url).pathname,
  test: {
    include: ['*.story.ts'],
    fileParallelism: false,
    sequence: { shuffle: false, sequencer: ByName },
    testTimeout: 900_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
