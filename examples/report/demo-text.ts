import { relative } from 'node:path';
import type { ClientLimits } from 'taskbridge/client/node';
import type { Report } from './job/index.ts';
import type { DemoOptions } from './demo-options.ts';
import type { Proof } from './proof.ts';
import type { Paint } from './screen.ts';

/** What the demo says first. */
export function opening(
  { path, calm }: DemoOptions,
  bytes: number,
  pid: number,
  limits: Pick<ClientLimits, 'backoffBaseMs' | 'backoffMaxMs' | 'climbIntervalMs'>,
) {
  return [
    '',
    '  TaskBridge: one task, start to finish, over a connection that is cut in every way',
    '',
    `  file      ${relative(process.cwd(), path)}, ${Math.ceil(bytes / 1000).toLocaleString('en')} kB`,
    `  server    a process of its own (pid ${pid}); tasks and their logs are in an LMDB store on disk`,
    `  client    this process, connected through a proxy${calm ? '' : ' that will misbehave'}`,
    ...(calm ? [] : ['  troubles  two cuts, WebSocket blocked, server-sent events blocked, kill -9 of the server (leave out: --calm)']),
    `  waits     short, to be seen: back-off ${limits.backoffBaseMs}–${limits.backoffMaxMs} ms (default 500–5000), climbs after ${limits.climbIntervalMs} ms (default 30000)`,
    '',
  ];
}

/** What the job made. */
export function result({ rows, duplicates, totals, cleaned }: Report, path: string): readonly string[] {
  const sums = Object.entries(totals).map(([column, total]) => `${column} ${total}`);
  return [
    '',
    `  rows      ${rows.read} read, ${rows.kept} kept, ${rows.bad} with findings, ${rows.dropped} duplicates (${duplicates.answer ?? 'none asked about'})`,
    `  totals    ${sums.join(', ') || 'no numeric columns'}`,
    `  cleaned   ${path}, ${cleaned.bytes} bytes`,
    `  sha256    ${cleaned.sha256}`,
  ];
}

/** What was proved, and what was not. */
export function summary(proofs: readonly Proof[], paint: Paint): readonly string[] {
  const right = proofs.every(({ faults }) => faults.length === 0);
  return [
    '',
    ...proofs.flatMap(({ claim, faults }) => [
      `  ${faults.length === 0 ? paint('✓', 'green') : paint('✗', 'red')} ${claim}`,
      ...faults.map((fault) => paint(`      ${fault}`, 'red')),
    ]),
    '',
    `  ${right ? paint('All of it holds.', 'green') : paint('Not all of it holds.', 'red')}`,
    '',
  ];
}
