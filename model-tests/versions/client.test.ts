import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as todaysClient from 'taskbridge/client/node';
import * as todaysOutbox from 'taskbridge/client/outbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { proveWhole, type Log } from '../redis/proof.ts';
import { patience } from '../support/patience.ts';
import { startHost, type HostProcess } from './host-process.ts';
import { openBuildFolder, type BuildFolder } from './release.ts';
import { isQuestion, questionOf, requestsTo } from './wire.ts';

const STEPS = 10;

/** What these tests use of a release's client. */
interface ClientDoors {
  readonly client: Pick<typeof todaysClient, 'createTaskBridgeClient' | 'fileCheckpoints' | 'fileOutbox'>;
  readonly outbox: Pick<typeof todaysOutbox, 'createOutbox'>;
}

describe('clients of 0.1.0 and of today, one after the other on the same files', () => {
  const doors = new Map<string, ClientDoors>([['today', { client: todaysClient, outbox: todaysOutbox }]]);
  const hosts: HostProcess[] = [];
  let folder: BuildFolder;
  let path: string;

  beforeAll(async () => {
    folder = await openBuildFolder();
    path = await mkdtemp(join(tmpdir(), 'taskbridge-versions-client-'));
    const release = await folder.unpack('0.1.0');
    // The members that are used were of these types in 0.1.0.
    doors.set('0.1.0', {
      client: (await release.door('client/node/index.js')) as ClientDoors['client'],
      outbox: (await release.door('client/outbox/index.js')) as ClientDoors['outbox'],
    });
    for (const version of [release, await folder.today()])
      hosts.push(await startHost(version, { lmdb: await mkdtemp(join(path, `${version.name}-`)) }));
  }, patience(180_000));
  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.kill()));
    await folder.clear();
    await rm(path, { recursive: true, force: true });
  });
  const doorsOf = (name: string): ClientDoors => {
    const found = doors.get(name);
    if (!found) throw new Error(`There is no client of ${name} here.`);
    return found;
  };

  describe.each([
    ['0.1.0', 'today'],
    ['today', '0.1.0'],
  ])('%s has left what %s', (from, to) => {
    it.each([0, 1])('resumes from its checkpoint, with every fact once (host %i)', async (at) => {
      const url = hosts[at]?.url ?? '';
      const file = join(path, `checkpoints-${from}-${at}.json`);
      const clientOf = (name: string) => {
        const { createTaskBridgeClient, fileCheckpoints } = doorsOf(name).client;
        return createTaskBridgeClient({ baseUrl: url, checkpoints: fileCheckpoints({ path: file }) });
      };
      const first = clientOf(from);
      const { taskId } = await first.start({ taskType: 'count', input: { to: STEPS } });
      const log: Log[number][] = [];
      for await (const fact of first.observe(taskId)) {
        log.push(fact);
        if (isQuestion(fact)) break;
      }
      await first.close();

      const second = clientOf(to);
      await second.act(taskId, { suspendId: questionOf(log), actionType: 'yes' });
      const observation = second.observe(taskId);
      for await (const fact of observation) {
        // The one that it left at may come again: the loop was left before its next turn said that it was dealt with.
        if (fact.eventId !== log.at(-1)?.eventId) log.push(fact);
      }
      expect(observation.getSnapshot().task.state).toBe('completed');
      await second.close();
      proveWhole(log, STEPS);
    });

    it.each([0, 1])('sends what waits in its outbox, once (host %i)', async (at) => {
      const url = hosts[at]?.url ?? '';
      const file = join(path, `outbox-${from}-${at}.json`);
      const request = { taskType: 'count', input: { to: STEPS, ask: false }, clientRequestId: `kept by ${from} for ${at}` };
      const nobody = doorsOf(from).client.createTaskBridgeClient({ baseUrl: 'http://127.0.0.1:9' });
      const offline = doorsOf(from).outbox.createOutbox(nobody, { store: doorsOf(from).client.fileOutbox({ path: file }), channels: null });
      const { id } = await offline.start(request);
      await offline.close();
      await nobody.close();

      const client = doorsOf(to).client.createTaskBridgeClient({ baseUrl: url });
      const outbox = doorsOf(to).outbox.createOutbox(client, { store: doorsOf(to).client.fileOutbox({ path: file }), channels: null });
      const outcome = await outbox.settled(id);
      expect(outcome.state).toBe('done');
      await outbox.close();
      await client.close();
      expect((await requestsTo(url).create(request)).body.deduplicated).toBe(true);
    });
  });
});
