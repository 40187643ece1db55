import { describe, expect, test } from 'vitest';
import { partOf, parts, testFiles, testsOf, tiers, type PartName } from '../../scripts/parts.ts';
import { allLevels } from '../charts/coverage-table.ts';
import { textOfFile } from './project-files.ts';

const names = Object.keys(parts) as PartName[];
const tests = testFiles();

describe('the parts of the check', () => {
  test('run every test, each in one part', () => {
    expect(tests.filter((name) => partOf(name) === undefined)).toEqual([]);
    const owned = names.filter((name) => parts[name].again.length === 0).flatMap(testsOf);
    expect(owned.sort()).toEqual(tests);
  });

  test('name no folder or file twice, and none that has no test of its own', () => {
    const begins = names.flatMap((name) => parts[name].tests.map((begin) => ({ name, begin })));
    expect(new Set(begins.map(({ begin }) => begin)).size).toBe(begins.length);
    const idle = begins.filter(({ name, begin }) => !tests.some((one) => one.startsWith(begin) && partOf(one) === name));
    expect(idle).toEqual([]);
  });

  test('walk every level, each in one part', () => {
    expect(names.flatMap((name) => parts[name].walks).sort()).toEqual([...allLevels].sort());
  });

  test('leave room in half an hour for all, and in six minutes for what installs their packages too', () => {
    const minutes = (of: readonly PartName[]): number => of.reduce((sum, name) => sum + parts[name].budgetMinutes, 0);
    // Two parts that wait run at once.
    const waiting = tiers.all.filter((name) => parts[name].isWaiting);
    expect(minutes(tiers.all) - minutes(waiting) / 2).toBeLessThanOrEqual(30);
    expect(minutes(tiers.check)).toBeLessThanOrEqual(5);
  });

  test('are all in the whole check', () => {
    expect([...tiers.all].sort()).toEqual([...names].sort());
  });
});

describe('each part', () => {
  const { scripts } = JSON.parse(textOfFile('package.json')) as { readonly scripts: Readonly<Record<string, string>> };
  const setup = textOfFile('scripts/setup.sh');
  const readme = textOfFile('model-tests/README.md');

  test.each(names)('%s has a command, and its budget is in the README', (name) => {
    expect(scripts[`check:${name}`]).toBe(`tsx scripts/check.ts ${name}`);
    const { budgetMinutes } = parts[name];
    expect(readme).toMatch(new RegExp(`^\\| \`check:${name}\` \\|.*\\| ${budgetMinutes} \\|`, 'm'));
  });

  test.each(names)('%s asks for what package.json and setup.sh know', (name) => {
    const commands = Object.values(parts[name].steps).map((step) => step.split(' ')[0] ?? '');
    expect(commands.filter((command) => !(command in scripts))).toEqual([]);
    const known = /^known='(.*)'$/m.exec(setup)?.[1]?.split(' ') ?? [];
    expect(parts[name].needs.filter((need) => !known.includes(need) || !setup.includes(`\nneed_${need}() {`))).toEqual([]);
  });
});
