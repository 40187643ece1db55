import { describe, expect, test } from 'vitest';
import { kitImports } from '../../scripts/kit.ts';
import { doors } from '../../scripts/doors.ts';
import { arrowFault } from './arrows.ts';
import { importsOf } from './imports.ts';
import { builtRooms, sourceFiles, textOfFile } from './project-files.ts';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(textOfFile('package.json')) as Manifest;
const published = new RegExp(`^(${builtRooms().join('|')})/`);

/** `taskbridge/server` → `server/index.ts`: examples import us by name. */
const aliases = Object.fromEntries(doors.map(({ specifier, source }) => [specifier, source]));
const imports = sourceFiles().flatMap((file) => importsOf(file, aliases));

describe('the rooms', () => {
  test('import only along the arrows', () => {
    expect(imports.flatMap((one) => arrowFault(one) ?? [])).toEqual([]);
  });

  test('are imported by name only where they have a door', () => {
    const closed = imports.filter(({ to }) => /^taskbridge(\/|$)/.test(to));
    expect(closed.map(({ place, to }) => `${place}: ${to} is no door of package.json's exports`)).toEqual([]);
  });

  test('that are published import only packages that an installation brings or asks for', () => {
    const declared = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]);
    const ofKit = new Set([...declared, ...kitImports]);
    const isOfKit = (file: string): boolean => file.startsWith('model-tests/conformance/');
    const undeclared = imports.filter(
      ({ from, to, isOurs }) =>
        !isOurs && published.test(from) && !to.startsWith('node:') && !(isOfKit(from) ? ofKit : declared).has(packageOf(to)),
    );
    expect(undeclared.map(({ place, to }) => `${place}: ${to} is neither a dependency nor a peer`)).toEqual([]);
  });

  test.each([
    ['machines/a.ts', '../server/index.ts'],
    ['machines/a.ts', 'koa'],
    ['client/a.ts', 'ws'],
    ['client/a.ts', 'node:fs'],
    ['client/a.ts', '../server/index.ts'],
    ['client/a.ts', './node/index.ts'],
    ['server/a.ts', '../client/index.ts'],
    ['server/a.ts', '../machines/limits.ts'],
    ['adapters/file/a.ts', '../memory/index.ts'],
    ['adapters/lmdb/a.ts', '../../server/index.ts'],
    ['adapters/new/a.ts', 'node:fs'],
    ['examples/x/a.ts', '../../server/task/command-processor.ts'],
    ['model-tests/conformance/x/a.ts', '../../live/hand-clock.ts'],
    ['model-tests/conformance/a.ts', 'vitest'],
    ['model-tests/conformance/script/a.ts', 'node:fs'],
  ])('do not let %s import %s', (from, to) => {
    const [found] = importsOf(from, aliases, `import type { X } from '${to}';`);
    expect(found && arrowFault(found)).toMatch(new RegExp(`^${from}:1: `));
  });

  test.each([[`export * from 'koa';`], [`const x = await import('koa');`], [`type X = import('koa').Context;`], [`import 'koa';`]])(
    'are seen through %s',
    (text) => {
      expect(importsOf('machines/a.ts', aliases, text).map(({ to }) => to)).toEqual(['koa']);
    },
  );
});

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
