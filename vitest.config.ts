import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: [{ find: /^taskbridge\/(.*)$/, replacement: `${fileURLToPath(new URL('.', import.meta.url))}$1/index.ts` }] },
  test: { include: ['model-tests/**/*.test.ts'], testTimeout: 20_000, hookTimeout: 20_000 },
});
