/**
 * Says where the time of a profile went, by function and by folder: `node .data/bench/bench/profile/summary.js <file.cpuprofile> [lines] [from s]`, without what was
 * before that second: the start of a process is long.
 */
import { readFileSync } from 'node:fs';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const [, , path = '', lines = '40', fromSeconds = '0'] = process.argv;
// Written by Node itself.
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, 'utf8')) as Profile;
const selfUs = new Map<number, number>();
let atUs = 0;
samples.forEach((id, i) => {
  const us = timeDeltas[i] ?? 0;
  atUs += us;
  if (atUs >= Number(fromSeconds) * 1e6) selfUs.set(id, (selfUs.get(id) ?? 0) + us);
});

const byFunction = new Map<string, number>();
const byPlace = new Map<string, number>();
let busyUs = 0;
for (const { id, callFrame } of nodes) {
  const us = selfUs.get(id) ?? 0;
  if (callFrame.functionName === '(idle)' || us === 0) continue;
  busyUs += us;
  const file = callFrame.url.replace(/^.*\.data\/bench\//, '').replace(/^.*node_modules\//, 'node_modules/');
  const place =
    file === ''
      ? callFrame.functionName
      : file.startsWith('node_modules/') || file.startsWith('node:')
        ? file.split('/').slice(0, 2).join('/')
        : file;
  add(byFunction, `${callFrame.functionName || '(anonymous)'}  ${file}:${callFrame.lineNumber + 1}`, us);
  add(byPlace, place, us);
}
for (const table of [byPlace, byFunction]) {
  for (const [name, us] of [...table].sort(([, a], [, b]) => b - a).slice(0, Number(lines)))
    console.log(`${((100 * us) / busyUs).toFixed(1).padStart(5)} %  ${name}`);
  console.log();
}

function add(table: Map<string, number>, name: string, us: number): void {
  table.set(name, (table.get(name) ?? 0) + us);
}
