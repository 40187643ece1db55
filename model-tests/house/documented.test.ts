import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { doors } from '../../scripts/doors.ts';
import { patience } from '../support/patience.ts';
import { placeOf, root } from './project-files.ts';

test(
  'every export of every door says what it is',
  () => {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: unknown };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const program = ts.createProgram({ rootNames: doors.map(({ source }) => join(root, source)), options });
    const checker = program.getTypeChecker();
    const silent = doors.flatMap(({ source }) => {
      const file = program.getSourceFile(join(root, source));
      const symbol = file && checker.getSymbolAtLocation(file);
      if (!symbol) return [`${source}: exports nothing`];
      return checker.getExportsOfModule(symbol).flatMap((exported) => silentPlace(checker, exported));
    });
    expect([...new Set(silent)].map((place) => place.replace(root, ''))).toEqual([]);
    // A type check of the whole house takes its time where others run beside it.
  },
  patience(120_000),
);

/** Where an export stands that has no comment. */
function silentPlace(checker: ts.TypeChecker, exported: ts.Symbol): string[] {
  const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  if (symbol.getDocumentationComment(checker).length > 0) return [];
  const [declaration] = symbol.declarations ?? [];
  return declaration ? [`${placeOf(declaration)}: ${exported.name} has no comment`] : [];
}
