import type { HostProcess } from './host-process.ts';
import type { ConnectionView } from './narrator.ts';
import type { Proxy } from './proxy.ts';

/** What the troubles see of the task that they disturb. */
export interface Stage {
  /** 0–100. */
  progress(): number;
  connection(): ConnectionView;
  /** How often a connection has come to life so far. */
  connections(): number;
  /** Resolves when the predicate holds; with false when the task ended before. */
  until(predicate: () => boolean): Promise<boolean>;
}

/** What was done to the connection, and what was survived. */
export interface Tally {
  cuts: number;
  blocks: number;
  kills: number;
  /** Of all of these: after how many the task was followed again. */
  survived: number;
}

/** Everything before the question. Resolves when it is over, or when the task ended before. */
export async function troublesWhileReading(stage: Stage, proxy: Proxy, tally: Tally, say: (text: string) => void): Promise<void> {
  for (const percent of [3, 8]) {
    if (!(await stage.until(() => stage.progress() >= percent && stage.connection().live))) return;
    const before = stage.connections();
    say('✂  cuts every connection');
    tally.cuts += 1;
    proxy.cut();
    if (await stage.until(() => stage.connections() > before && stage.connection().live)) tally.survived += 1;
  }
  if (!(await stage.until(() => stage.progress() >= 12))) return;
  say('⊘  blocks WebSocket: the client has to fall back to server-sent events');
  tally.blocks += 1;
  proxy.obstruct({ webSocket: 'refused' });
  if (await stage.until(() => isOn(stage, 'sse'))) tally.survived += 1;
  await stage.until(() => stage.progress() >= 22);
  say('⊘  blocks server-sent events too: only long polling is left');
  tally.blocks += 1;
  proxy.obstruct({ sse: 'refused' });
  if (await stage.until(() => isOn(stage, 'poll'))) tally.survived += 1;
  await stage.until(() => stage.progress() >= 34);
  say('○  lets everything through again: the client climbs back');
  proxy.obstruct({ webSocket: 'open', sse: 'open' });
  await stage.until(() => isOn(stage, 'ws'));
}

/** Everything after it. */
export async function troublesWhileWriting(stage: Stage, host: HostProcess, tally: Tally, say: (text: string) => void): Promise<void> {
  if (!(await stage.until(() => stage.progress() >= 65 && stage.connection().live))) return;
  const before = stage.connections();
  say(`☠  kill -9 of the server (pid ${host.pid})`);
  tally.kills += 1;
  await host.kill();
  await stage.until(() => !stage.connection().live);
  await host.restart();
  say(`○  starts the server again (pid ${host.pid}): the job goes on from its last commit`);
  if (await stage.until(() => stage.connections() > before && stage.connection().live)) tally.survived += 1;
}

function isOn(stage: Stage, transport: NonNullable<ConnectionView['transport']>): boolean {
  const connection = stage.connection();
  return connection.live && connection.transport === transport;
}
