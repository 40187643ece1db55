/**
 * Writes what each chart is, as JSON (its literal, or what its table of phases says, importable into Stately), as a Mermaid diagram and as a
 * picture, its flow where it has one, and the page that shows them all. `--check` only compares, a picture by what it says it was drawn from;
 * `--check --pictures` lays each out again. `--diff edited.json` says what an edited chart changes.
 */
import { createMachine } from 'xstate';
import { allCharts, recordedCharts } from './charts/chart-list.ts';
import { chartJson, chartLiteral } from './charts/chart-json.ts';
import { digestOf, drawingOf, type Drawing } from './charts/drawing.ts';
import { sayDifference } from './charts/diff-report.ts';
import { factFeeds } from './charts/fact-feeds.ts';
import { flowChart } from './charts/flow-chart.ts';
import { flows } from './charts/flows.ts';
import { layOut, type Direction } from './charts/layout.ts';
import { mermaidOf } from './charts/mermaid.ts';
import { pageOf } from './charts/page.ts';
import { svgOf } from './charts/svg.ts';
import { committedText, keepCommitted } from './committed.ts';

/** Few states side by side: these are read along their lines. */
const acrossDrawn = new Set(['entry', 'recovery', 'suspension', 'feeds']);
const FOLDER = 'docs/charts';
/** Laying out is most of the work, and gives the same for the same drawing. */
const areKept = process.argv.includes('--check') && !process.argv.includes('--pictures');
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
  keepCommitted(FOLDER, files, 'npm run charts');
}

async function draw(name: string, drawing: Drawing): Promise<void> {
  const direction: Direction = acrossDrawn.has(name) ? 'RIGHT' : 'DOWN';
  if (name !== 'feeds') files.set(`${name}.mmd`, mermaidOf(drawing));
  const digest = digestOf(drawing, direction);
  const kept = areKept ? committedText(FOLDER, `${name}.svg`) : undefined;
  files.set(`${name}.svg`, kept?.includes(digest) === true ? kept : svgOf(drawing, await layOut(drawing, direction), digest));
}
