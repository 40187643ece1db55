import { expect, test } from 'vitest';
import { snippet } from '../readme/snippets.ts';
import { filesBelow, textOfFile } from './project-files.ts';

const DOCUMENT = 'docs/proxies.md';
const folder = 'model-tests/proxies';

test.each([
  ['nginx', `${folder}/nginx/recommended.conf`],
  ['haproxy', `${folder}/haproxy/recommended.cfg`],
])('what is said of %s is the very file that is tried', (name, file) => {
  expect(snippet(name, DOCUMENT)).toBe(textOfFile(file));
});

test('every configuration is tried', () => {
  const tests = filesBelow(folder).filter((name) => name.endsWith('.test.ts'));
  const text = tests.map(textOfFile).join('\n');
  const tried = new Set([...text.matchAll(/'([\w-]+)'/g)].map(([, word]) => word));
  const sites = filesBelow(folder).flatMap((name) => /\/([^/]+)\.(?:conf|cfg)$/.exec(name)?.[1] ?? []);
  expect(sites.length).toBeGreaterThan(10);
  expect(sites.filter((site) => !tried.has(site))).toEqual([]);
});
