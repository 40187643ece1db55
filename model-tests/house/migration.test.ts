import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { doors } from '../../scripts/doors.ts';
import { errorCodes } from '../../machines/wire/errors.ts';
import { parse, sourceFiles, textOfFile } from './project-files.ts';

const MIGRATION = 'docs/migration.md';

/** What a short name in the tables stands for. */
const shorthand: Readonly<Record<string, string>> = {
  bridge: 'TaskBridge',
  client: 'TaskBridgeClient',
  http: 'HttpOptions',
  limits: 'ClientLimits',
  live: 'LiveOptions',
  task: 'Task',
  tasks: 'TaskSettings',
};

/** The names that a door exports. */
function exportsOf(door: string): string[] {
  return parse(door).statements.flatMap((statement) => {
    if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause))
      return statement.exportClause.elements.map(({ name }) => name.text);
    const isExported =
      ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    return isExported && ts.isFunctionDeclaration(statement) && statement.name ? [statement.name.text] : [];
  });
}

interface Owner {
  readonly members: Set<string>;
  readonly parents: Set<string>;
}

/** The members of all interfaces and classes below the doors, by name. Where two share a name, each has the other's. */
function ownersOf(files: readonly string[]): Map<string, Owner> {
  const owners = new Map<string, Owner>();
  const visit = (node: ts.Node): void => {
    if ((ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) && node.name) {
      const owner = owners.get(node.name.text) ?? { members: new Set(), parents: new Set() };
      for (const { name } of node.members) if (name) owner.members.add(name.getText());
      for (const { types } of node.heritageClauses ?? []) for (const { expression } of types) owner.parents.add(expression.getText());
      owners.set(node.name.text, owner);
    }
    node.forEachChild(visit);
  };
  for (const file of files) visit(parse(file));
  return owners;
}

const below = sourceFiles().filter((file) => /^(machines|server|client|adapters)\//.test(file));
const exported = new Set(doors.flatMap(({ source }) => exportsOf(source)));
const owners = ownersOf(below);
const metrics = new Set(
  below.filter((file) => file.startsWith('server/')).flatMap((file) => textOfFile(file).match(/\b\w+_(total|active)\b/g) ?? []),
);

function hasMember(owner: string, member: string): boolean {
  const found = owners.get(owner);
  return found !== undefined && (found.members.has(member) || [...found.parents].some((parent) => hasMember(parent, member)));
}

/** What a name in the column `here` is, or why it is nothing; undefined where it is no name: a route, a text. */
function faultOf(name: string): string | undefined {
  if (name.startsWith('taskbridge/')) return doors.some(({ specifier }) => specifier === name) ? undefined : `${name} is no door`;
  if (/^[A-Z]+(_[A-Z]+)+$/.test(name))
    return name in errorCodes || textOfFile('client/errors.ts').includes(`'${name}'`) || exported.has(name)
      ? undefined
      : `${name} is no code`;
  if (/^[a-z]+(_[a-z]+)+$/.test(name)) return metrics.has(name) ? undefined : `${name} is no metric`;
  const [, owner = '', member] = /^([A-Za-z]\w*)(?:\.(\w+))?$/.exec(name) ?? [];
  if (owner === '') return undefined;
  const type = shorthand[owner] ?? owner;
  if (!exported.has(type)) return `${name}: no door has ${type}`;
  return member === undefined || hasMember(type, member) ? undefined : `${name}: ${type} has no ${member}`;
}

/** The names in the column `here` of the tables `there | here |`. What is in a comment is not there yet. */
function namesHere(markdown: string): string[] {
  let isTable = false;
  return markdown
    .replaceAll(/<!--[\s\S]*?-->/g, '')
    .split('\n')
    .flatMap((line) => {
      if (!line.startsWith('|')) isTable = false;
      if (/^\| there \| here \|/.test(line)) isTable = true;
      const [, , here = ''] = isTable ? line.split('|') : [];
      return [...here.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    });
}

describe('the page for who comes from the original', () => {
  test('names what is exported, and nothing else', () => {
    const names = namesHere(textOfFile(MIGRATION));
    expect(names.length).toBeGreaterThan(150);
    expect(names.flatMap((name) => faultOf(name) ?? [])).toEqual([]);
  });

  test.each([
    ['taskbridge/nowhere', 'taskbridge/nowhere is no door'],
    ['createBridge', 'createBridge: no door has createBridge'],
    ['bridge.reopen', 'bridge.reopen: TaskBridge has no reopen'],
    ['LiveOptions.beatMs', 'LiveOptions.beatMs: LiveOptions has no beatMs'],
    ['tasks.keptMs', 'tasks.keptMs: TaskSettings has no keptMs'],
    ['TASK_CONFLICT', 'TASK_CONFLICT is no code'],
    ['nothings_total', 'nothings_total is no metric'],
  ])('would say that %s is not there', (name, fault) => {
    expect(namesHere(`| there | here | |\n|---|---|---|\n| \`x\` | \`${name}\` | |`).map(faultOf)).toEqual([fault]);
  });

  test.each(['taskbridge/server', 'createTaskBridge', 'bridge.close', 'Store.append', 'live.heartbeatMs', 'TASK_NOT_FOUND', 'GET /tasks'])(
    'finds %s',
    (name) => {
      expect(faultOf(name)).toBeUndefined();
    },
  );
});
