import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { doors } from './scripts/doors.ts';

const root = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  resolve: { alias: doors.map(({ specifier, source }) => ({ find: new RegExp(`^${specifier}$`), replacement: `${root}${source}` })) },
  // By itself Vitest would leave a core idle, and on two that is half.
  test: { maxWorkers: '100%', include: ['model-tests/**/*.test.ts'], testTimeout: 20_000, hookTimeout: 20_000 },
});
