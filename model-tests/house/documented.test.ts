import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { filesBelow, placeOf, root } from './project-files.ts';
import { patience } from '../support/patience.ts';

const doors = filesBelow().filter((name) =>
  /^(machines|server|server\/reporter|client|client\/(node|outbox|tabs)|adapters\/[^/]+|adapters\/temporal\/(workflow|activities)|model-tests\/conformance|model-tests\/conformance\/script)\/index\.ts$/.test(
    name,
  ),
);

test(
  'every export of every door says what it is',
  () => {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: unknown };
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    const program = ts.createProgram({ rootNames: doors.map((door) => join(root, door)), options });
    const checker = program.getTypeChecker();
    const silent = doors.flatMap((door) => {
      const source = program.getSourceFile(join(root, door));
      const symbol = source && checker.getSymbolAtLocation(source);
      if (!symbol) return [`${door}: exports nothing`];
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
