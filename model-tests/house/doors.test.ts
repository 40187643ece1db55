import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { doors, doorsOf } from '../../scripts/doors.ts';
import { builtRooms, root, textOfFile } from './project-files.ts';

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: unknown };
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);

/** The file that the compiler, tsx and the page's build take for a specifier: all read `paths` of `tsconfig.json`. */
function resolved(specifier: string): string | undefined {
  const { resolvedModule } = ts.resolveModuleName(specifier, join(root, 'examples/host.ts'), options, ts.sys);
  return resolvedModule && relative(root, resolvedModule.resolvedFileName);
}

describe('the doors of `exports`', () => {
  test.each(doors)('$specifier is $source, in the source as in the package', ({ specifier, source }) => {
    expect(existsSync(join(root, source))).toBe(true);
    expect(resolved(specifier)).toBe(source);
    expect(builtRooms().some((room) => source.startsWith(`${room}/`))).toBe(true);
  });

  test('name for each the declarations beside the code', () => {
    const { exports } = JSON.parse(textOfFile('package.json')) as { exports: Record<string, string | Record<string, string>> };
    for (const target of Object.values(exports)) {
      if (typeof target === 'string') continue;
      expect(target).toEqual({ types: target['default']?.replace(/js$/, 'd.ts'), default: target['default'] });
      // The first condition that holds is taken.
      expect(Object.keys(target)).toEqual(['types', 'default']);
    }
  });

  test('are folders with an index, and anything else is refused', () => {
    const exports = { './a': { default: './dist/rooms/a/index.js' }, './package.json': './package.json' };
    expect(doorsOf({ name: 'p', exports })).toEqual([{ specifier: 'p/a', source: 'rooms/a/index.ts' }]);
    expect(() => doorsOf({ name: 'p', exports: { './a': { default: './dist/a.js' } } })).toThrow('./dist/<folder>/index.js');
  });
});
