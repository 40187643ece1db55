import { Redis } from 'ioredis';
import { memoryCheckpoints, type TransportName } from 'taskbridge/client';
import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../redis/redis-server.ts';
import { startRedisProxy } from '../redis/redis-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { patience } from '../support/patience.ts';
import { proveShown, servedParts, spliceOf } from './part-proof.ts';
import { persistentClient, watchParts, type PartWatch } from './part-watch.ts';
import { startWritingHost } from './writing-host.ts';
import { textOf } from './writer-text.ts';

const NAMES = ['plan', 'answer'];
/** Characters that are written, and on the replica, before it hears of nothing any more; and those that are lost with the master. */
const [KEPT, LOST] = [6_000, 8_000];
const TRANSPORTS: readonly (readonly TransportName[])[] = [['ws'], ['sse'], ['poll']];

/** A Redis server with a replica, a node that writes, and one whose viewers look on. */
async function replicated() {
  const [master, replica] = await Promise.all([
    startRedis('--appendonly', 'no'),
    startRedis('--appendonly', 'no', '--repl-diskless-sync-delay', '0'),
  ]);
  const [onMaster, onReplica] = [new Redis(master.port), new Redis(replica.port)];
  for (const client of [onMaster, onReplica]) client.on('error', () => undefined);
  await onReplica.replicaof('127.0.0.1', master.port);
  await expect.poll(async () => String(await onReplica.info('replication'))).toContain('master_link_status:up');
  const proxy = await startRedisProxy(master.port);
  const writer = await startWritingHost({ redis: proxy.port });
  onTestFinished(async () => {
    await writer.kill();
    await proxy.close();
    for (const client of [onMaster, onReplica]) client.disconnect();
    await Promise.all([master.stop(), replica.stop()]);
  });
  return {
    proxy,
    writer,
    /** From now on the replica hears of nothing, and has all that was written by now. */
    async part() {
      await onMaster.wait(1, patience(20_000));
      await onReplica.replicaof('NO', 'ONE');
    },
    async failOver() {
      await master.kill();
      proxy.leadTo(replica.port);
    },
  };
}

/** Viewers over each transport, and one that will come back. */
function viewersOf(baseUrl: string, taskId: string) {
  const checkpoints = memoryCheckpoints();
  const watches = TRANSPORTS.map((transports) => watchParts(taskId, NAMES, persistentClient(baseUrl, { transports })));
  const back = () => watchParts(taskId, NAMES, persistentClient(baseUrl, { checkpoints }));
  return { watches, back };
}

test.each([
  ['goes on writing', 'restart', false],
  ['is killed with it, and another one goes on in words of its own', 'own-words', true],
] as const)(
  'a text that Redis loses the end of in a fail-over is spliced for nobody, where its writer %s',
  { timeout: patience(90_000) },
  async (_, taskType, isKilled) => {
    const { proxy, writer, part, failOver } = await replicated();
    const starting = persistentClient(`http://127.0.0.1:${writer.port}`);
    const { taskId } = await starting.start({ taskType, input: { stops: [KEPT, KEPT + LOST] } });
    const first = watchParts(taskId, NAMES, starting);
    await eventually(() => first.shown > KEPT);
    // It began when the work had somebody.
    const other = await startWritingHost({ redis: proxy.port });
    onTestFinished(() => other.kill());
    const baseUrl = `http://127.0.0.1:${other.port}`;
    const { watches, back } = viewersOf(baseUrl, taskId);
    const away = back();
    const all = [...watches, away];
    await eventually(() => all.every(({ shown }) => shown > KEPT));
    await part();
    writer.goOn();
    await eventually(() => all.every(({ shown }) => shown > KEPT + LOST));
    await away.close();
    if (isKilled) await writer.kill();
    await failOver();
    if (!isKilled) writer.goOn();
    const log = await (watches[0] as PartWatch).log;
    const parts = await servedParts(baseUrl, taskId, log);
    const answer = parts.find(({ name }) => name === 'answer');
    expect(answer?.outcome).toBe('DONE');
    const text = answer?.text ?? '';
    if (!isKilled) expect(spliceOf(text, textOf(1))).toBeUndefined();
    else {
      const own = text.indexOf('2:0 so');
      expect(text.slice(own) === textOf(2)).toBe(true);
      expect(spliceOf(text.slice(0, own), textOf(1))).toBeUndefined();
      // They had more of the first one's words than were kept.
      expect(own).toBeLessThan(KEPT + LOST);
    }
    const late = [back(), watchParts(taskId, NAMES, persistentClient(baseUrl))];
    for (const watch of [...watches, ...late]) {
      await watch.log;
      proveShown(watch, parts);
      await watch.close();
    }
    if (isKilled)
      for (const watch of watches) expect(watch.parts.map(({ name, restarts }) => [name, restarts])).toContainEqual(['answer', 1]);
    await starting.close();
  },
);
