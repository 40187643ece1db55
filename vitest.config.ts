import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { doors } from './scripts/doors.ts';
import { TEST_MS, WAIT_MS } from './model-tests/support/patience.ts';

const root = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  resolve: { alias: doors.map(({ specifier, source }) => ({ find: new RegExp(`^${specifier}$`), replacement: `${root}${source}` })) },
  // By itself Vitest would leave a core idle, and on two that is half.
  test: {
    maxWorkers: '100%',
    // A file that reads everything anew spends as long on that as on its tests. What a test changes it puts back when it has finished.
    isolate: false,
    include: ['model-tests/**/*.test.ts'],
    testTimeout: TEST_MS,
    hookTimeout: TEST_MS,
    teardownTimeout: TEST_MS,
    expect: { poll: { timeout: WAIT_MS } },
    setupFiles: ['model-tests/support/patient-waits.ts'],
  },
});
