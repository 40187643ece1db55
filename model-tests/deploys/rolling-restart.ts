import { setTimeout as sleep } from 'node:timers/promises';
import { createTaskBridgeClient, type TaskBridgeClient, type Observation } from 'taskbridge/client/node';
import { trustEverybody } from '../proxies/certificate.ts';
import { startProxy } from '../proxies/proxy.ts';
import { startRedis } from '../redis/redis-server.ts';
import { buildProgram } from '../support/built-program.ts';
import { forkProgram, heard, startProcess, type RunningProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { patience } from '../support/patience.ts';
import type { DeployedHostMessage } from './children/host.ts';

/** What a run is told. */
export interface RollingRestart {
  readonly tasks: number;
  /** Dealt out to the tasks in turn, each with a client and a socket of its own. A task and who watches it are one owner's. */
  readonly viewers: number;
  /** How often each task reports something. */
  readonly paceMs: number;
  /** Over how long a host that ends sends its viewers away. */
  readonly spreadMs: number;
  readonly say: (line: string) => void;
}

/** What it came to. */
export interface RollingRestartReport {
  /** What the numbers of its facts should have been, and were, for each viewer that saw other ones. */
  readonly wrong: readonly string[];
  /** How the tasks that did not end as they should have ended. */
  readonly failed: readonly string[];
  /** Of each host that was restarted: viewers that it had to send away, and sockets that were opened at the other ones in each second from its SIGTERM on. */
  readonly restarts: readonly { readonly sentAway: number; readonly socketsASecond: readonly number[] }[];
  /** The transports in use, before the tasks were told that it is enough. */
  readonly transports: Readonly<Record<string, number>>;
}

const WAIT_MS = patience(60_000);
/** Who fell climbs again after half a minute, and where that fails a few times after twice as long each. */
const CLIMBED_MS = patience(180_000);

interface OwnedTask {
  readonly owner: string;
  readonly client: TaskBridgeClient;
  readonly taskId: string;
}

interface Viewer {
  readonly client: TaskBridgeClient;
  readonly observation: Observation;
  readonly numbers: number[];
  readonly over: Promise<void>;
}

/** Two hosts on one Redis, behind a balancer that asks whether they are ready; people watch tasks that run, and the hosts are deployed one after the other. */
export async function runRollingRestart({ tasks, viewers: count, paceMs, spreadMs, say }: RollingRestart): Promise<RollingRestartReport> {
  const trustNobodyElse = trustEverybody();
  const redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
  const program = await buildProgram(new URL('children/host.ts', import.meta.url));
  const ports = [await freePort(), await freePort()] as const;
  const opened: { readonly host: number; readonly at: number }[] = [];
  const hosts = await Promise.all(
    ports.map((port, nth) =>
      startHost(program.file, [port, redis.port, spreadMs], () => opened.push({ host: nth, at: performance.now() })),
    ),
  );
  const proxy = await startProxy('haproxy', ['recommended'], ...ports);
  const baseUrl = proxy.url('recommended');
  const owned: OwnedTask[] = [];
  const viewers: Viewer[] = [];
  try {
    owned.push(...(await Promise.all(Array.from({ length: tasks }, (_, nth) => startTask(baseUrl, `owner ${nth}`, paceMs)))));
    for (let nth = 0; nth < count; nth += 1) viewers.push(watch(baseUrl, owned[nth % tasks] as OwnedTask));
    await until(() => viewers.every(({ numbers }) => numbers.length > 0));
    say(`${tasks} tasks run, ${count} watch them`);

    const restarts: RollingRestartReport['restarts'][number][] = [];
    for (const [nth, host] of hosts.entries()) {
      const before = facts(viewers);
      const begunAt = performance.now();
      const arrived = opened.filter((one) => one.host === nth).length;
      const exiting = host.kill('SIGTERM');
      await exiting;
      await host.restart();
      // As a deploy waits until what it started is ready; and everybody has seen something since.
      await until(async () => (await fetch(`http://127.0.0.1:${ports[nth]}/ready`)).ok);
      const marks = facts(viewers);
      await until(() => facts(viewers).every((seen, at) => seen > (marks[at] ?? 0)));
      const socketsASecond = perSecond(opened.filter((one) => one.host !== nth && one.at >= begunAt).map(({ at }) => at - begunAt));
      restarts.push({ sentAway: socketsASecond.reduce((total, one) => total + one, 0), socketsASecond });
      say(
        `host ${nth} is back (${arrived} sockets in its life); sockets opened elsewhere, by second: ${socketsASecond.join(' ')}; ${sum(facts(viewers)) - sum(before)} facts meanwhile`,
      );
    }

    const transports = (): Record<string, number> =>
      tally(viewers.map(({ observation }) => observation.getSnapshot().connection.transport));
    // Who fell climbs again by itself.
    await until(() => Object.keys(transports()).join() === 'ws', CLIMBED_MS).catch(() => undefined);
    const inUse = transports();
    say(`transports: ${JSON.stringify(inUse)}`);

    const failed = (await Promise.all(owned.map(end))).flat();
    await Promise.all(viewers.map(({ over }) => over));
    const wrong = viewers.map(({ numbers }) => gapsIn(numbers)).flat();
    return { wrong, failed, restarts, transports: inUse };
  } finally {
    await Promise.all([...owned, ...viewers].map(({ client }) => client.close()));
    await proxy.stop();
    await Promise.all(hosts.map((host) => host.kill()));
    await redis.stop();
    await program.remove();
    trustNobodyElse();
  }
}

function startHost(file: string, args: readonly number[], onSocket: () => void): Promise<RunningProcess> {
  const start = () =>
    forkProgram(file, args).on('message', (message: DeployedHostMessage) => {
      if ('socket' in message) onSocket();
    });
  return startProcess('A host', start, (child) => heard<DeployedHostMessage>(child, (message) => 'listens' in message));
}

async function startTask(baseUrl: string, owner: string, paceMs: number): Promise<OwnedTask> {
  const client = createTaskBridgeClient({ baseUrl, auth: () => owner });
  return { owner, client, taskId: (await client.start({ taskType: 'count', input: { paceMs } })).taskId };
}

function watch(baseUrl: string, { owner, taskId }: OwnedTask): Viewer {
  const client = createTaskBridgeClient({ baseUrl, auth: () => owner });
  const observation = client.observe(taskId);
  const numbers: number[] = [];
  const follow = async (): Promise<void> => {
    for await (const { eventId } of observation) numbers.push(Number(eventId.split('-')[0]));
  };
  const over = follow();
  // Told by who waits for it.
  over.catch(() => undefined);
  return { client, observation, numbers, over };
}

/** Says that it is enough, and gives how the task ended where that is not as it should. */
async function end({ client, taskId }: OwnedTask): Promise<string[]> {
  const observation = client.observe(taskId);
  for await (const { type, payload } of observation) {
    if (type !== 'TASK_SUSPENDED') continue;
    const { suspendId } = payload as { readonly suspendId: string };
    await client.act(taskId, { suspendId, actionType: 'yes' });
  }
  const { state, failure } = observation.getSnapshot().task;
  return state === 'completed' ? [] : [`${taskId} ${state} ${JSON.stringify(failure)}`];
}

/** Where numbers do not follow each other by one, from 1 on. */
function gapsIn(numbers: readonly number[]): string[] {
  return numbers.flatMap((number, at) => (number === at + 1 ? [] : [`${number} where ${at + 1} should be`])).slice(0, 1);
}

function facts(viewers: readonly Viewer[]): number[] {
  return viewers.map(({ numbers }) => numbers.length);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function perSecond(timesMs: readonly number[]): number[] {
  const counts: number[] = [];
  for (const time of timesMs) {
    const second = Math.floor(time / 1000);
    while (counts.length <= second) counts.push(0);
    counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Looks twenty times a second, so that hundreds of clients of this process have it for themselves; throws where it is never so. */
async function until(holds: () => boolean | Promise<boolean>, limitMs = WAIT_MS): Promise<void> {
  const begun = performance.now();
  while (!(await holds())) {
    if (performance.now() - begun > limitMs) throw new Error(`Waited in vain for ${String(holds)}`);
    await sleep(50);
  }
}
