/**
 * Writes what each chart is, as JSON (its literal, or what its table of phases says, importable into Stately), as a Mermaid diagram and as a
 * picture, its flow where it has one, and the page that shows them all. `--check` only compares; `--diff edited.json` says what an edited
 * chart changes.
 */
import { createMachine } from 'xstate';
import { allCharts, recordedCharts } from './charts/chart-list.ts';
import { chartJson, chartLiteral } from './charts/chart-json.ts';
import { drawingOf, type Drawing } from './charts/drawing.ts';
import { sayDifference } from './charts/diff-report.ts';
import { factFeeds } from './charts/fact-feeds.ts';
import { flowChart } from './charts/flow-chart.ts';
import { flows } from './charts/flows.ts';
import { layOut, type Direction } from './charts/layout.ts';
import { mermaidOf } from './charts/mermaid.ts';
import { pageOf } from './charts/page.ts';
import { svgOf } from './charts/svg.ts';
import { keepCommitted } from './committed.ts';

/** Few states side by side: these are read along their lines. */
const acrossDrawn = new Set(['entry', 'recovery', 'suspension', 'feeds']);
const files = new Map<string, string>();

const edited = process.argv[process.argv.indexOf('--diff') + 1];
if (process.argv.includes('--diff')) sayDifference(edited);
else {
  for (const [name, machine] of Object.entries(allCharts)) {
    files.set(`${name}.json`, chartJson(chartLiteral(machine)));
    await draw(name, drawingOf(machine, { isRecorded: recordedCharts.has(name) }));
  }
  for (const [name, flow] of Object.entries(flows)) {
    const literal = flowChart(flow);
    files.set(`${name}.flow.json`, chartJson(literal));
    // Made of strings, so that XState cannot infer what it types by.
    await draw(`${name}.flow`, drawingOf(createMachine(literal as never), { isRecorded: true }));
  }
  await draw('feeds', factFeeds());
  const shown = Object.entries(allCharts).map(([name, machine]) => ({ name, machine, hasFlow: name in flows }));
  files.set('README.md', pageOf(shown));
  keepCommitted('docs/charts', files, 'npm run charts');
}

async function draw(name: string, drawing: Drawing): Promise<void> {
  const direction: Direction = acrossDrawn.has(name) ? 'RIGHT' : 'DOWN';
  if (name !== 'feeds') files.set(`${name}.mmd`, mermaidOf(drawing));
  files.set(`${name}.svg`, svgOf(drawing, await layOut(drawing, direction)));
}
