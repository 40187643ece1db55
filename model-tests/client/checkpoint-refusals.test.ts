import { memoryCheckpoints } from 'taskbridge/client';
import { sharedStreams } from 'taskbridge/client/streams';
import { nodeSockets, type CheckpointStore, type ClientReport, type Observation, type TransportName } from 'taskbridge/client/node';
import { multiplexed } from 'taskbridge/client/transports';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bridgeFixture, type BridgeFixture, type ManualTask } from '../multiplex/bridge-fixture.ts';
import { browser, numbersOf, untilLeading } from '../tabs/tabs-harness.ts';
import { createHarness, numbers } from './harness.ts';
import { partHost } from './part-host.ts';
import { completed, fact, TASK, writeEvents } from '../support/scripted-server.ts';

type Reports = ClientReport[];

/** A store that holds a checkpoint of this task at this place, whatever it is. */
async function holding(baseUrl: string, taskId: string, eventId: string, more: object = {}): Promise<CheckpointStore & { keys: string[] }> {
  const kept = memoryCheckpoints();
  const key = `|${baseUrl}|${taskId}`;
  await kept.write(key, JSON.stringify({ v: 1, eventId, task: null, taskEventId: null, ...more }));
  const keys: string[] = [];
  return { ...kept, keys, remove: (name) => (keys.push(name), kept.remove(name)) };
}

/** A log of a start, three facts and an end. */
async function ended(stage: BridgeFixture): Promise<ManualTask> {
  const task = await stage.start();
  await task.report(3);
  await task.finish();
  return task;
}

const places = ['another-library', '12', 'a,b@c', '999', '1-2-3'];
const ways: readonly (readonly TransportName[])[] = [['ws'], ['sse'], ['poll'], ['ws', 'sse', 'poll']];

describe.each(ways)('a checkpoint that no server goes on from, over %s %s %s', (...transports) => {
  test.each(places)('at %j is dropped, once, and told of; every fact comes from the start of the log', async (eventId) => {
    const stage = await bridgeFixture();
    const { taskId, log } = await ended(stage);
    const checkpoints = await holding(stage.baseUrl, taskId, eventId);
    const reports: Reports = [];
    const gaps: unknown[] = [];
    const client = stage.client({
      transports,
      checkpoints,
      sockets: nodeSockets(),
      onReport: (report) => void reports.push(report),
      listener: { onGap: ({ reason, firstEventId }) => void gaps.push([reason, firstEventId]) },
    });
    const observation = client.observe(taskId);
    const ids: string[] = [];
    for await (const { eventId: id } of observation) ids.push(id);
    expect(ids).toEqual(await log());
    expect(observation.getSnapshot()).toMatchObject({
      known: 'known',
      task: { state: 'completed', partial: false },
      connection: { continuity: 'reset' },
    });
    expect(reports.filter(({ type }) => type === 'checkpoint')).toMatchObject([
      { taskId, cause: transports[0] === 'ws' ? { closeCode: 1008 } : { status: 422 } },
    ]);
    expect(gaps).toEqual([['reset', null]]);
    await client.close();
    expect(checkpoints.keys[0]).toBe(`|${stage.baseUrl}|${taskId}`);
  });

  test('is not asked for again by who comes later', async () => {
    const stage = await bridgeFixture();
    const { taskId, report, finish, log } = await stage.start();
    const checkpoints = await holding(stage.baseUrl, taskId, 'another-library');
    const reports: Reports = [];
    const open = () => stage.client({ transports, checkpoints, sockets: nodeSockets(), onReport: (one) => void reports.push(one) });
    await report(2);
    const first = open();
    for await (const { eventId } of first.observe(taskId)) if (eventId.startsWith('3-')) break;
    await first.close();
    await finish();
    const second = open();
    const rest: string[] = [];
    for await (const { eventId } of second.observe(taskId)) rest.push(eventId);
    expect(rest).toEqual((await log()).slice(-rest.length));
    expect(rest.length).toBeLessThan((await log()).length);
    expect(reports.filter(({ type }) => type === 'checkpoint')).toHaveLength(1);
  });
});

describe('a checkpoint that no server goes on from', () => {
  test('leaves the others on a shared socket and on a shared stream alone', async () => {
    for (const options of [
      { transports: ['ws'] as const, sockets: multiplexed(nodeSockets()) },
      { transports: ['sse'] as const, streams: sharedStreams() },
    ]) {
      const stage = await bridgeFixture();
      const [bad, good] = [await ended(stage), await ended(stage)];
      const checkpoints = await holding(stage.baseUrl, bad.taskId, 'a,b@c');
      const reports: Reports = [];
      const client = stage.client({ ...options, checkpoints, onReport: (report) => void reports.push(report) });
      const read = async (observation: Observation): Promise<string[]> => {
        const ids: string[] = [];
        for await (const { eventId } of observation) ids.push(eventId);
        return ids;
      };
      const both = [client.observe(bad.taskId), client.observe(good.taskId)];
      expect(await Promise.all(both.map(read))).toEqual([await bad.log(), await good.log()]);
      expect(reports.filter(({ type }) => type === 'checkpoint').map((report) => 'taskId' in report && report.taskId)).toEqual([
        bad.taskId,
      ]);
      expect(both[1]?.getSnapshot().connection.continuity).toBe('resumed');
    }
  });

  test('of one tab leaves the others alone, which stand elsewhere', async () => {
    const stage = await bridgeFixture();
    const { taskId, finish, report, log } = await stage.start();
    await report(3);
    const inTab = browser(stage.baseUrl);
    const open = (options: object = {}) => inTab({ auth: () => 'good', ...options });
    const checkpoints = await holding(stage.baseUrl, taskId, 'another-library');
    const leading = open({ checkpoints });
    await untilLeading(leading);
    const tabs = [leading, open({ checkpoints: await holding(stage.baseUrl, taskId, (await log())[1] ?? '') })];
    const all = tabs.map((tab) => numbersOf(tab, taskId));
    await finish();
    const seen = await Promise.all(all);
    const whole = (await log()).map((id) => Number(id.split('-')[0]));
    expect(seen).toEqual([whole, whole.slice(2)]);
  });

  test('is dropped for every observation that began from it', async () => {
    const stage = await bridgeFixture();
    const { taskId, log } = await ended(stage);
    const checkpoints = await holding(stage.baseUrl, taskId, 'another-library');
    const client = stage.client({ transports: ['ws'], checkpoints });
    const read = async (): Promise<string[]> => {
      const ids: string[] = [];
      for await (const { eventId } of client.observe(taskId)) ids.push(eventId);
      return ids;
    };
    expect(await Promise.all([read(), read()])).toEqual([await log(), await log()]);
  });

  test.each(ways)('takes what was kept of parts with it, over %s %s %s', async (...transports) => {
    const host = await partHost();
    const { taskId, order } = await host.start();
    await order({ open: 'answer' });
    await order({ write: 'so it is' });
    await order({ end: true });
    await order({ finish: true });
    const parts = { v: 1, parts: [{ part: 2, lane: 'none', name: 'answer', kind: 'text', epoch: 'none', bytes: 5, text: 'wrong' }] };
    const checkpoints = await holding(host.baseUrl, taskId, 'another-library', { parts });
    const reports: Reports = [];
    const client = host.client({ transports, checkpoints, onReport: (report) => void reports.push(report) });
    expect((await numbers(client.observe(taskId))).slice(0, 2)).toEqual([1, 2]);
    expect(reports.filter(({ type }) => type === 'checkpoint')).toHaveLength(1);
  });

  test('too long for a request, or of characters that none carries, is not sent at all', async () => {
    for (const eventId of ['x'.repeat(100_000), 'é', '\ud800', '1\n2', ' ', '']) {
      const stage = await bridgeFixture();
      const { taskId, log } = await ended(stage);
      const checkpoints = await holding(stage.baseUrl, taskId, eventId);
      const reports: Reports = [];
      for (const transport of ['ws', 'sse', 'poll'] as const) {
        const client = stage.client({ transports: [transport], checkpoints, onReport: (one) => void reports.push(one) });
        const ids: string[] = [];
        for await (const { eventId: id } of client.observe(taskId)) {
          ids.push(id);
          // It stays, for the next transport.
          if (ids.length === (await log()).length - 1) break;
        }
        expect(ids).toEqual((await log()).slice(0, -1));
        await client.close();
        await checkpoints.write(`|${stage.baseUrl}|${taskId}`, JSON.stringify({ v: 1, eventId, task: null, taskEventId: null }));
      }
      expect(reports.filter(({ type }) => type === 'checkpoint')).toHaveLength(3);
    }
  });
});

describe('a server that refuses', () => {
  const refusal = { code: 'REQUEST_VALIDATION_ERROR', message: 'No.', details: {}, timestamp: '2026-01-01T00:00:00Z' };

  test.each(['ws', 'sse', 'poll'] as const)('again without the checkpoint has the last word, over %s', async (transport) => {
    const world = await createHarness();
    onTestFinished(() => world.close());
    const { script, seen, baseUrl } = world.server;
    const asked: (string | null | undefined)[] = [];
    script.snapshot = () => [404, { code: 'NOT_FOUND', message: 'No such route.' }];
    // Our server is known by its word before it closes for good.
    script.upgrade = () => undefined;
    script.subscribed = ({ socket, lastEventId, send }) => {
      asked.push(lastEventId);
      send({ type: 'HEARTBEAT', taskId: 'another', live: true });
      socket.close(1008);
    };
    script.stream = (response, { headers }) => {
      asked.push(headers['last-event-id'] as string | undefined);
      response.writeHead(422).end(JSON.stringify(refusal));
    };
    script.poll = (query) => (asked.push(query.get('afterEventId')), [422, refusal]);
    const checkpoints = await holding(baseUrl, TASK, 'another-library');
    const client = world.client({ transports: [transport], checkpoints });
    await expect(numbers(client.observe(TASK))).rejects.toMatchObject({
      code: transport === 'ws' ? 'CONNECTION_REFUSED' : 'REQUEST_VALIDATION_ERROR',
    });
    expect(asked.map((cursor) => cursor ?? null)).toEqual(['another-library', null]);
    expect(seen.filter((kind) => kind === transport)).toHaveLength(2);
  });

  test('where the caller said himself from where is taken at its word', async () => {
    const stage = await bridgeFixture();
    const { taskId } = await ended(stage);
    const client = stage.client({ transports: ['poll'] });
    await expect(numbers(client.observe(taskId, { lastEventId: 'another-library' }))).rejects.toMatchObject({ status: 422 });
  });

  test('what it was asked for after it had taken the checkpoint does not refuse that', async () => {
    const world = await createHarness();
    onTestFinished(() => world.close());
    const { script, baseUrl } = world.server;
    const checkpoints = await holding(baseUrl, TASK, '2-1000');
    script.stream = (response) => (writeEvents(response, fact(3)), void setImmediate(() => response.destroy()));
    const first = script.stream;
    script.stream = (response, request) => {
      script.stream = (later) => void later.writeHead(422).end(JSON.stringify(refusal));
      first(response, request);
    };
    await expect(numbers(world.client({ transports: ['sse'], checkpoints }).observe(TASK))).rejects.toMatchObject({ status: 422 });
    expect(checkpoints.keys).toEqual([]);
  });

  test('a task that is not there refuses no checkpoint', async () => {
    const stage = await bridgeFixture();
    const checkpoints = await holding(stage.baseUrl, '00nobody', '2-1000');
    const client = stage.client({ checkpoints });
    await expect(numbers(client.observe('00nobody'))).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect(checkpoints.keys).toEqual([]);
  });

  test('over a poll beside a silent stream is heard too', async () => {
    const world = await createHarness();
    onTestFinished(() => world.close());
    const { script, baseUrl } = world.server;
    script.subscribed = ({ lastEventId, confirm, send }) => {
      if (lastEventId !== null) return;
      confirm();
      send(completed(1));
    };
    script.poll = (query) => (query.has('afterEventId') ? [422, refusal] : undefined);
    const checkpoints = await holding(baseUrl, TASK, 'another-library');
    const client = world.client({ transports: ['ws', 'poll'], checkpoints, limits: { silentMs: 20, muteMs: 5_000 } });
    expect(await numbers(client.observe(TASK))).toEqual([1]);
  });
});
