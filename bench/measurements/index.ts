import { appends } from './appends.ts';
import type { Measurement } from './bench.ts';
import { commands } from './commands.ts';
import { connections } from './connections.ts';
import { creates } from './creates.ts';
import { fanOut } from './fan-out.ts';
import { held } from './held.ts';
import { lists } from './lists.ts';
import { lmdbAppends } from './lmdb-appends.ts';
import { logLength } from './log-length.ts';
import { memory } from './memory.ts';
import { parts } from './parts.ts';
import { nodes } from './nodes.ts';
import { page } from './page.ts';
import { polls } from './polls.ts';
import { restart } from './restart.ts';
import { resume } from './resume.ts';
import { scale } from './scale.ts';
import { temporal } from './temporal.ts';
import { tokens } from './tokens.ts';
import { waiting } from './waiting.ts';

/** All measurements, by the names that `--only` takes. */
export const measurements: readonly { readonly name: string; readonly title: string; readonly measure: Measurement }[] = [
  { name: 'appends', title: 'Appends on Redis', measure: appends },
  { name: 'appends-lmdb', title: 'Appends on LMDB', measure: lmdbAppends },
  { name: 'creates', title: 'Tasks that are created, started and run to their end', measure: creates },
  { name: 'commands', title: 'Answers and cancels', measure: commands },
  { name: 'fan-out-ws', title: 'Fan-out over WebSocket', measure: fanOut('ws') },
  { name: 'fan-out-sse', title: 'Fan-out over SSE', measure: fanOut('sse') },
  { name: 'resume', title: 'Resume of 1000 missed facts', measure: resume },
  { name: 'polls', title: 'Long polls that do not wait, and snapshots', measure: polls },
  { name: 'lists', title: "A page of an owner's list", measure: lists },
  { name: 'parts', title: 'Text that grows, as the store keeps it', measure: parts },
  { name: 'tokens', title: 'Text that grows, from its handler to its viewers', measure: tokens },
  { name: 'nodes', title: 'Several nodes on one Redis', measure: nodes },
  { name: 'memory', title: 'Memory of an idle viewer', measure: memory },
  { name: 'connections', title: 'Redis connections of a node', measure: connections },
  { name: 'page', title: 'A page in Chromium', measure: page },
  { name: 'temporal', title: 'Work that Temporal runs', measure: temporal },
  { name: 'scale', title: 'Tasks at rest, and what Redis does beside them', measure: scale },
  { name: 'restart', title: 'Restart with many tasks', measure: restart },
  { name: 'waiting', title: 'Hosts whose tasks wait for people', measure: waiting },
  { name: 'held', title: 'Heap of a task that waits', measure: held },
  { name: 'log-length', title: 'Cost of an append by the length of the log', measure: logLength },
];
