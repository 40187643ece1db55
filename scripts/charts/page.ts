import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { refusalCodes } from '../../machines/index.ts';
import { nodesOf, transitionsFor } from './chart-reader.ts';
import { nameIn } from './words.ts';

/** A chart on the page. */
export interface ChartOnPage {
  readonly name: string;
  readonly machine: AnyStateMachine;
  /** True where a flow is drawn beside it. */
  readonly hasFlow: boolean;
}

const opening = `# The charts

Written by \`npm run charts\`; a check holds it to the source. A picture is wider than this page? Open it by itself.

| file | what |
|---|---|
| \`<chart>.json\` | the law: the chart as it runs. XState's \`createMachine\` takes it, and so does Stately's import |
| \`<chart>.flow.json\` | the same states, in which the intents move: to be clicked through in Stately's editor |
| \`<chart>.mmd\`, \`<chart>.flow.mmd\` | the drawing for Mermaid, which lays it out in its own way: before version 12 labels may meet |
| \`<chart>.svg\`, \`<chart>.flow.svg\` | the pictures below |
| \`feeds.svg\` | which fact feeds which chart |

**To read a picture.** \`event [guard] / actions\` on an arrow; in a box what happens there without leaving it: \`entry\`, \`exit\`, the actors that it \`runs\`,
and events that stay. \`‹…›\` are tags, ↺ leaves a state and enters it again, a dashed box is a region beside others, *any* is any of the states around
it. Where two guards may hold, the first in the JSON decides.

**Law and flow.** In a recorded chart (\`task\`, \`suspension\`) an intent changes nothing: it emits facts or a refusal, and the facts move. That is what a
server commits and a client folds. A flow takes both steps at once, \`fold(decide(intent))\`: it answers "where does a cancel lead from here?". A test walks
both over the same bounded model and finds them in the same state after each intent, with the same facts and refusals. All other charts move by the
events that they are told, so that their law is their flow.

**To change a chart in Stately.** Import its JSON, edit, export JSON (XState v5), then \`npm run charts -- --diff edited.json\`: it says by name which
states, transitions, guards, actions, tags and descriptions differ, and exits with 1 where any does. What changed is then written into the chart's source by
hand: the names of guards and actions stand for code, which no export has.

In the JSON, the context is the one that the chart begins with when it has no input. What code computes beyond it (an input, an output) has no place in data: the
names of those functions stand in \`meta.computed\`.

## Which fact feeds which chart

An intent is decided by the task's chart, or by that of the question that it names. Each fact is folded by the chart of the task, on every node and in every client;
some say something to other charts too, by the event on the arrow.

![Which fact feeds which chart](feeds.svg)
`;

/** The page of all charts, as Markdown. */
export function pageOf(charts: readonly ChartOnPage[]): string {
  const links = charts.map(({ name }) => `[${name}](#${name})`).join(' · ');
  return `${opening}\n${links}\n${charts.map(sectionOf).join('')}`;
}

function sectionOf({ name, machine, hasFlow }: ChartOnPage): string {
  const refusals = refusalRows(machine);
  return [
    `\n## ${name}\n`,
    `${machine.root.description ?? ''}\n`,
    `![The chart ${name}](${name}.svg)\n`,
    ...(hasFlow
      ? [
          `**As a flow of intents**; before an end each open question is closed, which is not drawn.\n`,
          `![The flow of ${name}](${name}.flow.svg)\n`,
        ]
      : []),
    '| state | |\n|---|---|',
    ...nodesOf(machine.root)
      .slice(1)
      .map((node) => `| \`${node.path.join('.')}\` | ${node.description ?? ''} |`),
    ...(refusals.length > 0
      ? ['\n**What is refused**\n', '| where | intent | if | code | which says |\n|---|---|---|---|---|', ...refusals]
      : []),
    '',
  ].join('\n');
}

/** Rows that differ by their intent or their state only are one. */
function refusalRows(machine: AnyStateMachine): string[] {
  const byState = merged(
    nodesOf(machine.root)
      .filter(({ states }) => Object.keys(states).length === 0)
      .flatMap(refusalsAt),
    ({ intents, guard, code }) => [intents, guard, code].join(),
    (rows) => rows.map(({ where }) => where),
    (row, where) => ({ ...row, where: where.join(', ') }),
  );
  const byIntent = merged(
    byState,
    ({ where, guard, code }) => [where, guard, code].join(),
    (rows) => rows.map(({ intents }) => intents),
    (row, intents) => ({ ...row, intents: intents.join(', ') }),
  );
  return byIntent.map(({ where, intents, guard, code }) => `| ${where} | ${intents} | ${guard} | \`${code}\` | ${refusalCodes[code]} |`);
}

interface Refused {
  readonly where: string;
  readonly intents: string;
  readonly guard: string;
  readonly code: keyof typeof refusalCodes;
}

/** What a state refuses, or those around it for it. */
function refusalsAt(leaf: AnyStateNode): Refused[] {
  const events = new Set(nodesOf(leaf.machine.root).flatMap((node) => [...node.transitions.keys()]));
  return [...events].flatMap((event) =>
    transitionsFor(leaf, event).flatMap(({ guard, actions }) =>
      actions.flatMap((action): Refused[] => {
        if (typeof action !== 'object' || action.type !== 'refuse') return [];
        const { code } = action.params as { readonly code: Refused['code'] };
        return [{ where: `\`${leaf.key}\``, intents: `\`${event}\``, guard: guard === undefined ? '' : `\`${nameIn(guard)}\``, code }];
      }),
    ),
  );
}

function merged<T>(
  rows: readonly T[],
  keyOf: (row: T) => string,
  partsOf: (rows: readonly T[]) => string[],
  join: (row: T, parts: string[]) => T,
): T[] {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return [...groups.values()].flatMap((group) => (group[0] === undefined ? [] : [join(group[0], [...new Set(partsOf(group))])]));
}
