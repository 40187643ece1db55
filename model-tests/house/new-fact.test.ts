import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { patience } from '../support/patience.ts';
import { root, sourceFiles, textOfFile } from './project-files.ts';

const PAYLOADS = 'machines/wire/payloads.ts';
const INTENTS = 'machines/intents.ts';

/** Where nobody but the author can begin, and the chart: its literal tells the compiler no events, so its own tests ask for them. */
const byHand = [INTENTS, 'machines/task/task.machine.ts', PAYLOADS];

/** The files of CONTRIBUTING's section, by their paths. */
function namedFiles(): string[] {
  const section = /^## To add a fact\n([\s\S]*?)^## /m.exec(textOfFile('CONTRIBUTING.md'))?.[1] ?? '';
  return [...new Set([...section.matchAll(/`([\w/.-]+\.ts)`/g)].map(([, path = '']) => path))]
    .filter((path) => !path.startsWith('model-tests/house/'))
    .sort();
}

/** The files as a newcomer has them who has written a payload and an intent, and nothing else. */
function withOneFactMore(): ReadonlyMap<string, string> {
  const insert = (file: string, before: string, text: string): [string, string] => {
    const found = textOfFile(file);
    if (!found.includes(before)) throw new Error(`${file} has no line ${before.trim()}`);
    return [join(root, file), found.replace(before, `${text}\n${before}`)];
  };
  return new Map([
    insert(PAYLOADS, '  TASK_SUSPENDED: z', '  TASK_OF_THIS_TEST: z.strictObject({ note: textId }),'),
    insert(
      INTENTS,
      "  | { readonly type: 'report.suspended'",
      "  | { readonly type: 'report.of-this-test'; readonly payload: FactPayload<'TASK_OF_THIS_TEST'> }",
    ),
  ]);
}

/** Files that speak of types of facts or intents, by name or by a table; the others need not be read for what a new one asks. */
const concerned = /TASK_[A-Z]|'report\.|factTypes|FactType|Intent\b|Table\b/;

/** Every file in which the compiler finds a fault where some have these texts instead of theirs. */
function faultyFiles(texts: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { readFile } = host;
  host.readFile = (path) => texts.get(path) ?? readFile.call(host, path);
  const files = sourceFiles().filter((file) => concerned.test(textOfFile(file)));
  const program = ts.createProgram({ rootNames: files.map((file) => join(root, file)), options, host });
  return files.filter((file) => program.getSemanticDiagnostics(program.getSourceFile(join(root, file))).length > 0);
}

test(
  'for a new type of fact the compiler asks in the files that CONTRIBUTING names, and in no other',
  () => {
    expect([...byHand, ...faultyFiles(withOneFactMore())].sort()).toEqual(namedFiles());
    // A type check of the whole house takes its time where others run beside it.
  },
  patience(300_000),
);
