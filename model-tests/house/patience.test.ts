import { expect, test } from 'vitest';
import { sourceFiles, textOfFile } from './project-files.ts';

/** Limits of Vitest and Playwright, as an option or as the last argument of a test or hook. */
const limits = [/\btimeout: [\d_]+/, /^\s*\}, [\d_]{4,}\);$/, /^\s*[\d_]{5,},\n\s*\);$/, /setDefault\w*Timeout\(\d/];

test('no test names a limit that does not grow with the slowness of the machine', () => {
  const files = sourceFiles().filter((file) => file.startsWith('model-tests/') && !file.startsWith('model-tests/conformance/'));
  const named = files.flatMap((file) => {
    const text = textOfFile(file);
    return limits.flatMap((limit) => [...text.matchAll(new RegExp(limit, 'gm'))].map(([found]) => `${file}: ${found.trim()}`));
  });
  expect(files.length).toBeGreaterThan(100);
  expect(named).toEqual([]);
});
