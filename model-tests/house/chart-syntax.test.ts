import { describe, expect, test } from 'vitest';
import { chartFaults, type ChartKind } from './chart-syntax.ts';
import { parse, sourceFiles } from './project-files.ts';

/** Charts whose log is their memory; any other chart file is an acting one. */
const recorded = new Set(['task.machine.ts', 'suspension.machine.ts', 'attempt.machine.ts', 'entry.machine.ts']);
const files = sourceFiles().filter((name) => name.endsWith('.machine.ts'));

function kindOf(file: string): ChartKind {
  return recorded.has(file.split('/').at(-1) ?? '') ? 'recorded' : 'acting';
}

function faultsOf(kind: ChartKind, text: string): string[] {
  return chartFaults(parse('x.machine.ts', text), kind);
}

describe('a chart file', () => {
  test('exists for each recorded chart', () => {
    expect([...recorded].filter((name) => !files.some((file) => file.endsWith(`/${name}`)))).toEqual([]);
  });

  test.each(files)('%s is one literal that any tool can draw', (file) => {
    expect(chartFaults(parse(file), kindOf(file))).toEqual([]);
  });

  test.each([
    ['a function', `export const x = setup({}).createMachine({ entry: () => 1 });`],
    ['a spread', `export const x = setup({}).createMachine({ ...rest });`],
    ['a computed key', `export const x = setup({}).createMachine({ states: { [a]: {} } });`],
    ['a template', 'export const x = setup({}).createMachine({ id: `a${b}` });'],
    ['an identifier', `export const x = setup({}).createMachine({ states: shared });`],
    ['a shorthand', `export const x = setup({}).createMachine({ states });`],
    ['a call', `export const x = setup({}).createMachine({ on: { E: { guard: and(['a', 'b']) } } });`],
    ['an unknown action', `export const x = setup({ actions: {} }).createMachine({ on: { E: { actions: ['a'] } } });`],
    ['an action that nothing names', `export const x = setup({ actions: { a: f } }).createMachine({ id: 'x' });`],
    ['an unknown delay', `export const x = setup({}).createMachine({ after: { soon: {} } });`],
    ['a second chart', `export const x = setup({}).createMachine({}); export const y = setup({}).createMachine({});`],
    ['a chart that is not exported', `const x = setup({}).createMachine({});`],
  ])('is refused with %s', (_what, text) => {
    expect(faultsOf('acting', text)).toHaveLength(1);
  });

  test.each([
    ['an invoke', `export const x = setup({ actors: { a: f } }).createMachine({ invoke: { src: 'a' } });`],
    ['a delay', `export const x = setup({ delays: { a: 1 } }).createMachine({ after: { a: {} } });`],
    ['a context from a function', `function make() {} export const x = setup({}).createMachine({ context: make });`],
  ])('of a recorded chart is refused with %s, of an acting one it is not', (_what, text) => {
    expect(faultsOf('recorded', text)).toHaveLength(1);
    expect(faultsOf('acting', text)).toEqual([]);
  });
});
