import { expect, test } from 'vitest';
import { backOffFaults } from './back-off.ts';
import { parse, sourceFiles, textOfFile } from './project-files.ts';

/** What the tree is read for; the rest of the house need not be parsed. */
const maybe = /[\w)\]] \*\*|\.pow|\*= /;
/** The one place where a rest is doubled. */
const POLICY = 'machines/retry-policy.ts';
const published = sourceFiles().filter((name) => /^(machines|server|client|adapters)\//.test(name) && maybe.test(textOfFile(name)));

test('no published file but the policy computes a back-off', () => {
  expect(published).toContain(POLICY);
  expect(published.filter((name) => name !== POLICY).flatMap((name) => backOffFaults(parse(name)))).toEqual([]);
  expect(backOffFaults(parse(POLICY))).toHaveLength(1);
});

test.each(['const ms = 100 * 2 ** tries;', 'const ms = Math.pow(2, tries);', 'pauseMs *= 2;', 'ms **= 2;'])(
  '`%s` is a back-off',
  (text) => {
    expect(backOffFaults(parse('x.ts', text))).toHaveLength(1);
  },
);

test.each(['const LONGEST_TIMER_MS = 2 ** 31 - 1;', 'const half = bytes * 2;'])('`%s` is none', (text) => {
  expect(backOffFaults(parse('x.ts', text))).toEqual([]);
});
