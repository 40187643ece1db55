import { StateMachine, type AnyStateMachine } from 'xstate';
import { build } from 'esbuild';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { browserFile, withoutDescriptions } from '../../scripts/browser-chart.ts';
import { root, sourceFiles, textOfFile } from './project-files.ts';

const files = sourceFiles().filter((name) => /^(machines|client)\/.*\.machine\.ts$/.test(name));

/** The charts that a module exports, as it stands, or as a bundle for browsers has it. */
async function chartsOf(file: string, contents: string): Promise<readonly AnyStateMachine[]> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: join(root, file, '..'), loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    // The charts of a test are XState's own, whichever module they come from.
    plugins: [{ name: 'xstate', setup: ({ onResolve }) => onResolve({ filter: /^xstate$/ }, () => ({ path: xstate, external: true })) }],
  });
  const [made] = outputFiles;
  const module: unknown = await import(`data:text/javascript;base64,${Buffer.from(made?.text ?? '').toString('base64')}`);
  return Object.values(module as object).filter((value): value is AnyStateMachine => value instanceof StateMachine);
}

const xstate = import.meta.resolve('xstate');

/** A literal, with what people read of it counted and left out. */
function unread(literal: unknown): { readonly rest: unknown; readonly descriptions: number } {
  let descriptions = 0;
  const rest = JSON.parse(
    JSON.stringify(literal, (key, value: unknown) => {
      if (key !== 'description') return typeof value === 'function' ? `function ${value.name}` : value;
      descriptions += 1;
      return undefined;
    }),
  ) as unknown;
  return { rest, descriptions };
}

describe('a chart in a bundle for browsers', () => {
  test.each(files)('%s is the same chart, but for its descriptions', async (file) => {
    const code = textOfFile(file);
    const [[whole], [lean]] = [await chartsOf(file, code), await chartsOf(file, withoutDescriptions(code))];
    const [before, after] = [unread(whole?.config), unread(lean?.config)];
    expect(before.descriptions).toBeGreaterThan(0);
    expect(after).toEqual({ rest: before.rest, descriptions: 0 });
    const named = ({ implementations }: AnyStateMachine) =>
      Object.entries(implementations).map(([kind, of]) => [kind, Object.keys(of as object)]);
    expect(lean && named(lean)).toEqual(whole && named(whole));
  });

  test('stands in by the field that bundlers read, each of them', () => {
    const { browser } = JSON.parse(textOfFile('package.json')) as { browser: Record<string, string> };
    const built = files.map((file) => `./dist/${file.replace(/\.ts$/, '.js')}`).sort();
    expect(browser).toEqual(Object.fromEntries(built.map((file) => [file, browserFile(file)])));
  });

  test('keeps what is called description elsewhere', () => {
    const code = "const x = { description: 'a' };\nexport const y = setup({}).createMachine({ id: 'y', description: 'b', states: {} });";
    expect(withoutDescriptions(code)).toBe(
      "const x = { description: 'a' };\nexport const y = setup({}).createMachine({ id: 'y', states: {} });",
    );
  });
});
