import { readFileSync } from 'node:fs';
import { createMachine, type AnyStateMachine } from 'xstate';
import { allCharts } from './chart-list.ts';
import { chartDifferences } from './chart-diff.ts';
import { chartLiteral } from './chart-json.ts';
import { flowChart } from './flow-chart.ts';
import { flows } from './flows.ts';

/** Prints what an edited chart changes. The exit code is 0 where nothing does, 1 where something does, 2 where the file is no chart of ours. */
export function sayDifference(file: string | undefined): void {
  try {
    const { name, lines } = differencesIn(file);
    for (const line of lines) console.log(line);
    console.log(lines.length === 0 ? `${name}: as in the source` : `${name}: ${lines.length} differences`);
    process.exitCode = lines.length === 0 ? 0 : 1;
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 2;
  }
}

/**
 * What an edited chart changes, found by its `id`; a file whose name ends in `.flow.json` is held against the flow.
 *
 * @throws an `Error` that says why, where the file is none, is no JSON or no chart, or has an id that no chart has.
 */
export function differencesIn(file: string | undefined): { readonly name: string; readonly lines: readonly string[] } {
  if (file === undefined) throw new Error('Which file? `npm run charts -- --diff edited.json`.');
  const literal = parsed(file);
  const id = typeof literal === 'object' && literal !== null && 'id' in literal ? String(literal.id) : '';
  const isFlow = file.endsWith('.flow.json');
  const source = isFlow ? flowOf(id) : lawOf(id);
  if (!source)
    throw new Error(
      `${file} has the id "${id}", which no chart has. Those are: ${Object.values(allCharts)
        .map((chart) => chart.id)
        .join(', ')}.`,
    );
  return { name: isFlow ? `${id}.flow` : id, lines: chartDifferences(source, loaded(literal, file)) };
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file} cannot be read as JSON: ${(error as Error).message}`, { cause: error });
  }
}

function loaded(literal: unknown, file: string): AnyStateMachine {
  try {
    return createMachine(literal as never);
  } catch (error) {
    throw new Error(`${file} is no chart for XState: ${(error as Error).message}`, { cause: error });
  }
}

function lawOf(id: string): AnyStateMachine | undefined {
  const chart = Object.values(allCharts).find((one) => one.id === id);
  return chart && createMachine(chartLiteral(chart) as never);
}

function flowOf(id: string): AnyStateMachine | undefined {
  const flow = Object.values(flows).find(({ chart }) => chart.id === id);
  return flow && createMachine(flowChart(flow) as never);
}
