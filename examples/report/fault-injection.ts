import type { TransportName } from 'taskbridge/wire';
import type { HostProcess } from './host-process.ts';
import type { Proxy } from './proxy.ts';
import type { WatchedTask } from './watched-task.ts';

/** What was done to the connection, and what was survived. */
export interface FaultTally {
  cuts: number;
  blocks: number;
  kills: number;
  /** Of all of these: after how many the task was followed again. */
  survived: number;
  /** It climbed back to the highest transport once it was let. */
  climbed: boolean;
}

/** A trouble that was not got over by then was not survived. */
const WITHIN_MS = 30_000;

/** Everything before the question. Resolves when it is over, or when the task ended before. */
export async function injectWhileReading(task: WatchedTask, proxy: Proxy, tally: FaultTally, say: (text: string) => void): Promise<void> {
  for (const percent of [3, 8]) {
    if (!(await task.until(() => task.progress() >= percent && isLive(task)))) return;
    const before = task.connections();
    say('✂  cuts every connection');
    tally.cuts += 1;
    proxy.cut();
    if (await task.until(() => task.connections() > before && isLive(task), WITHIN_MS)) tally.survived += 1;
  }
  if (!(await task.until(() => task.progress() >= 12))) return;
  say('⊘  blocks WebSocket: the client has to fall back to server-sent events');
  tally.blocks += 1;
  proxy.obstruct({ webSocket: 'refused' });
  if (await task.until(() => isOn(task, 'sse'), WITHIN_MS)) tally.survived += 1;
  await task.until(() => task.progress() >= 22);
  say('⊘  blocks server-sent events too: only long polling is left');
  tally.blocks += 1;
  proxy.obstruct({ sse: 'refused' });
  if (await task.until(() => isOn(task, 'poll'), WITHIN_MS)) tally.survived += 1;
  await task.until(() => task.progress() >= 34);
  say('○  lets everything through again: the client climbs back');
  proxy.obstruct({ webSocket: 'open', sse: 'open' });
  tally.climbed = await task.until(() => isOn(task, 'ws'), WITHIN_MS);
}

/** Everything after it. */
export async function injectWhileWriting(
  task: WatchedTask,
  host: HostProcess,
  tally: FaultTally,
  say: (text: string) => void,
): Promise<void> {
  if (!(await task.until(() => task.progress() >= 65 && isLive(task)))) return;
  const before = task.connections();
  say(`☠  kill -9 of the server (pid ${host.pid})`);
  tally.kills += 1;
  await host.kill();
  await task.until(() => !isLive(task), WITHIN_MS);
  await host.restart();
  say(`○  starts the server again (pid ${host.pid}): the job goes on from its last commit`);
  if (await task.until(() => task.connections() > before && isLive(task), WITHIN_MS)) tally.survived += 1;
}

function isLive(task: WatchedTask): boolean {
  return task.connection().state === 'live';
}

function isOn(task: WatchedTask, transport: TransportName): boolean {
  return isLive(task) && task.connection().transport === transport;
}
