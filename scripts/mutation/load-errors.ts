import type { Reporter, TestModule, Vitest } from 'vitest/node';

/**
 * A mutant may keep a test file from loading. StrykerJS's runner looks at tests, of which such a file has none, and at
 * errors outside of tests: this reporter makes the failure one of those.
 */
export class LoadErrors implements Reporter {
  #vitest: Vitest | null = null;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestModuleEnd(module: TestModule): void {
    for (const error of module.errors()) this.#vitest?.state.catchError(error, 'Load Error');
  }
}
