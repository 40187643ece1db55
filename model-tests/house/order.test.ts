import { describe, expect, test } from 'vitest';
import { filesBelow, sourceFiles, textOfFile } from './project-files.ts';

const LINES_MAX = 400;
/** A chart is one literal in one file, however much it draws. */
const CHART_LINES_MAX = 600;
const files = filesBelow();
const sources = sourceFiles();

/** Where somebody's machine, or the place that packages came from, shows through. */
const traces = [
  /(?<![\w.~-])\/(?:work|home|root|Users|mnt)\/\w/,
  /https?:\/\/[^\s"'`)]*(?:registry|artifactory|nexus|verdaccio)[^\s"'`)]*/i,
  /"resolved": "(?=\w)/,
];
const isText = /\.(ts|tsx|js|json|md|mmd|sh|yml|yaml|csv|txt)$|^\.ci\/|^\.[a-z]+rc$|LICENSE$/;

describe('the house', () => {
  test('has a door for each room and each adapter', () => {
    const adapters = new Set(files.filter((name) => /^adapters\/[^/]+\//.test(name)).map((name) => name.split('/').slice(0, 2).join('/')));
    const doors = ['machines', 'server', 'server/ports', 'server/reporter', 'client', 'client/node', ...adapters].map(
      (room) => `${room}/index.ts`,
    );
    expect(doors.filter((door) => !files.includes(door))).toEqual([]);
  });

  test(`has no source file over ${LINES_MAX} lines`, () => {
    const long = sources
      .map((name) => [name, textOfFile(name).split('\n').length - 1] as const)
      .filter(([name, lines]) => lines > (name.endsWith('.machine.ts') ? CHART_LINES_MAX : LINES_MAX));
    expect(long.map(([name, lines]) => `${name}: ${lines} lines; there is a second noun in it`)).toEqual([]);
  });

  test('names its files with kebab-case nouns, and none utils, helpers or common', () => {
    const odd = sources.filter(
      (name) => !name.split('/').every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.(machine|phases|test|test-d|d))?(\.tsx?)?$/.test(part)),
    );
    const empty = files.filter((name) => name.split('/').some((part) => /^(utils?|helpers?|common|misc)(\.\w+)*$/.test(part)));
    expect([...odd, ...empty]).toEqual([]);
  });

  test('says nothing about the machines that it was made on', () => {
    const found = files
      .filter((name) => isText.test(name))
      .flatMap((name) =>
        textOfFile(name)
          .split('\n')
          .flatMap((line, index) =>
            traces.some((trace) => trace.test(line)) ? [`${name}:${index + 1}: ${line.trim().slice(0, 120)}`] : [],
          ),
      );
    expect(found).toEqual([]);
  });
});
