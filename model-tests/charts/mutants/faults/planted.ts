import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { AnyStateMachine } from 'xstate';
import { allDecisions } from '../../decisions/chart-decisions.ts';
import { faultsOf, judgedCells } from '../../decisions/decisions.ts';
import type { AnyPhaseTable } from '../../phase-chart.ts';
import { faultOf, phaseGates } from '../phase-gates.ts';
import type { Found } from '../survivors.ts';
import { allFaults } from './chart-faults.ts';
import { withFault, type Fault, type FaultsOf } from './fault.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
/** Within the project, where its packages are found. */
const folder = join(root, '.data/faults/');

/** What came of one fault: what was first found wrong, undefined where nothing was. */
export interface Planted extends Fault {
  readonly chart: string;
  readonly found: string | undefined;
}

/** The same for one chart, as of faults that are made by rule. */
export async function plantByHand(chart: string): Promise<Found> {
  const all: Planted[] = [];
  for await (const one of plant(allFaults.filter((list) => list.chart === chart))) all.push(one);
  const names = (some: readonly Planted[]): string[] => some.map(({ says }) => says);
  const lived = all.filter(({ found }) => found === undefined);
  return {
    chart,
    there: names(all),
    planted: names(all),
    lived: names(lived),
    unexplained: names(lived.filter(({ alike }) => alike === undefined)),
    outdated: names(all.filter(({ alike, found }) => alike !== undefined && found !== undefined)),
  };
}

/** Plants each of the faults in the source of its chart, one at a time, and holds that against the chart's rows by hand. */
export async function* plant(lists: readonly FaultsOf[]): AsyncGenerator<Planted> {
  await mkdir(folder, { recursive: true });
  const own = await mkdtemp(folder);
  try {
    for (const list of lists) {
      const judge = judgeOf(list.chart);
      const source = await readFile(join(root, list.file), 'utf8');
      for (const [nth, fault] of list.faults.entries()) {
        const out = join(own, `${list.chart}-${nth}-${list.file.replace(/\W/gu, '-')}.mjs`);
        await writeFile(out, await builtWith(list, withFault(source, fault)));
        const made = Object.values((await import(/* @vite-ignore */ pathToFileURL(out).href)) as object) as { readonly id?: string }[];
        const chart = made.find((each) => each.id === list.chart);
        if (!chart) throw new Error(`${list.file} makes no chart “${list.chart}”.`);
        yield { ...fault, chart: list.chart, found: await judge(chart) };
      }
    }
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function builtWith({ file, entry = file }: FaultsOf, faulty: string): Promise<string> {
  const path = join(root, file);
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
    plugins: [
      {
        name: 'fault',
        setup: ({ onLoad }) => onLoad({ filter: /\.ts$/ }, (args) => (args.path === path ? { contents: faulty, loader: 'ts' } : undefined)),
      },
    ],
  });
  return outputFiles[0]?.text ?? '';
}

type Judge = (chart: object) => Promise<string | undefined>;

function judgeOf(id: string): Judge {
  const decisions = allDecisions.find(({ machine }) => machine.id === id);
  if (decisions) {
    const cells = judgedCells(decisions);
    return async (chart) => {
      for (const found of faultsOf(decisions, chart as AnyStateMachine, cells)) return found;
      return undefined;
    };
  }
  const gate = phaseGates.find(({ table }) => table.id === id);
  if (!gate) throw new Error(`There is no chart “${id}”.`);
  return async (chart) => {
    const table = gate.table as { initial: unknown; phases: unknown };
    const { initial, phases } = table;
    Object.assign(table, { initial: (chart as AnyPhaseTable).initial, phases: (chart as AnyPhaseTable).phases });
    try {
      return await faultOf(gate);
    } finally {
      Object.assign(table, { initial, phases });
    }
  };
}
