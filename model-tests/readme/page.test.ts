import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesBelow, textOfFile } from '../house/project-files.ts';
import { root } from './snippets.ts';

test('llms.txt leads to every page of the docs, and nowhere else', () => {
  const links = [...textOfFile('llms.txt').matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);
  expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
  expect(links.filter((link, nth) => links.indexOf(link) < nth)).toEqual([]);
  const pages = filesBelow().filter((name) => /^docs\/.*\.md$/.test(name) && !/^docs\/(charts|schemas)\/(?!README)/.test(name));
  expect(pages.filter((page) => !links.includes(page))).toEqual([]);
});
