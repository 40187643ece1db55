import { describe, expect, test, vi } from 'vitest';
import { nodeSockets } from 'taskbridge/client/node';
import { multiplexed, type SocketPort, type WebSocketConstructor } from 'taskbridge/client/transports';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { consume, bridgeFixture, type BridgeFixture, type ManualTask } from './bridge-fixture.ts';

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const startMany = (stage: BridgeFixture, count: number): Promise<ManualTask[]> => Promise.all(range(count).map(() => stage.start()));

describe('many observed tasks', () => {
  test('100 of them use one upgrade, and each log comes complete, once and in order', async () => {
    const stage = await bridgeFixture();
    const works = await startMany(stage, 100);
    const client = stage.client();
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    // Different speeds, before and after the subscription.
    await Promise.all(works.map((work, i) => work.report(1 + (i % 7) * 3)));
    await Promise.all(works.map((work) => work.finish()));
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
    expect(stage.upgrades).toHaveLength(1);
    await eventually(() => stage.sockets.size === 0);
  });

  test('one that is refused and one that is finished leave the others alone', async () => {
    const stage = await bridgeFixture();
    const works = await startMany(stage, 5);
    await works[0]?.finish();
    const client = stage.client();
    const unknown = consume(client.observe('f'.repeat(32)));
    const impossible = consume(client.observe(works[1]?.taskId ?? '', { lastEventId: 'no-cursor' }));
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    await readers[0]?.over;
    await expect(unknown.over).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await expect(impossible.over).rejects.toMatchObject({ code: expect.any(String) as string });
    for (const work of works.slice(1)) await work.report(3);
    for (const work of works.slice(1)) await work.finish();
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
  });

  test('one that a slow consumer pauses goes on from there, while the others flow', async () => {
    const stage = await bridgeFixture();
    const works = await startMany(stage, 4);
    const client = stage.client({ limits: { undeliveredMax: 10 } });
    let go: (() => void) | undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const slowOne = client.observe(works[0]?.taskId ?? '');
    const slow = consume(slowOne, () => held);
    const others = works.slice(1).map(({ taskId }) => consume(client.observe(taskId)));
    await works[0]?.report(50);
    await until(slowOne, ({ connection }) => connection.state === 'paused');
    for (let total = 6; total <= 51; total += 5) {
      for (const work of works.slice(1)) await work.report(5);
      await vi.waitFor(() => expect(others.map(({ ids }) => ids.length)).toEqual([total, total, total]));
    }
    expect(slow.ids).toHaveLength(1);
    go?.();
    await works[0]?.finish();
    await slow.over;
    for (const work of works.slice(1)) await work.finish();
    await Promise.all([slow, ...others].map(({ over }) => over));
    for (const [i, reader] of [slow, ...others].entries()) expect(reader.ids).toEqual(await works[i]?.log());
    expect(stage.upgrades).toHaveLength(1);
  });

  test('that are all cut in the middle resume on one new socket, without loss or repetition', async () => {
    const stage = await bridgeFixture();
    const works = await startMany(stage, 100);
    const client = stage.client({ limits: { backoffBaseMs: 20 } });
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    for (let cut = 1; cut <= 2; cut += 1) {
      await eventually(() => readers.every(({ ids }) => ids.length > (cut - 1) * 10));
      const flowing = Promise.all(works.map((work) => work.report(10)));
      await eventually(() => readers.filter(({ ids }) => ids.length > (cut - 1) * 10 + 3).length > 50);
      for (const socket of stage.sockets) socket.destroy();
      await flowing;
    }
    // A socket whose tasks have all ended is closed: whoever comes back later would open another one.
    await Promise.all(works.map((work) => work.report(1)));
    await eventually(() => readers.every(({ ids }) => ids.length === 22));
    await Promise.all(works.map((work) => work.finish()));
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
    expect(stage.upgrades).toHaveLength(3);
  });

  test('move to a socket with the new token when credentials are renewed, by one refresh', async () => {
    const stage = await bridgeFixture();
    const works = await startMany(stage, 20);
    const clock = fakeClock();
    let token = 1;
    const asked: boolean[] = [];
    const client = stage.client({
      clock,
      auth: ({ forceRefresh }) => {
        asked.push(forceRefresh);
        if (forceRefresh) token += 1;
        return { token: `token${token}`, expiresAt: clock.now() + 60_000 };
      },
    });
    const observations = works.map(({ taskId }) => client.observe(taskId));
    const readers = observations.map((one) => consume(one));
    await Promise.all(works.map((work) => work.report(2)));
    await eventually(() => readers.every(({ ids }) => ids.length === 3));
    clock.advance(30_001);
    await eventually(() => stage.upgrades.length === 2 && stage.sockets.size === 1);
    await Promise.all(works.map((work) => work.finish()));
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
    expect(stage.upgrades).toEqual(['Bearer token1', 'Bearer token2']);
    expect(asked.filter(Boolean)).toHaveLength(1);
  });

  test('whose upgrade is answered 401 refresh once, and share the next socket', async () => {
    const stage = await bridgeFixture();
    const works = await startMany(stage, 20);
    let token = 'stale';
    let refreshes = 0;
    const client = stage.client({
      auth: ({ forceRefresh }) => {
        if (forceRefresh) [token, refreshes] = ['fresh', refreshes + 1];
        return token;
      },
    });
    // Begun at a fact, so that nothing is asked for but the socket.
    const readers = works.map(({ taskId }) => consume(client.observe(taskId, { lastEventId: '' })));
    await Promise.all(works.map((work) => work.finish()));
    await Promise.all(readers.map(({ over }) => over));
    expect(stage.upgrades).toEqual(['Bearer stale', 'Bearer fresh']);
    expect(refreshes).toBe(1);
  });

  test('have a socket each where the server does not let them share', async () => {
    const stage = await bridgeFixture({ sharesSockets: false });
    const works = await startMany(stage, 30);
    const client = stage.client();
    const refused = consume(client.observe('f'.repeat(32)));
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    await Promise.all(works.map((work) => work.report(2)));
    await eventually(() => readers.every(({ ids }) => ids.length === 3));
    await expect(refused.over).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await eventually(() => stage.sockets.size === 30);
    await Promise.all(works.map((work) => work.finish()));
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
  });

  test('share one socket of the platform too, with the token as a subprotocol', async () => {
    const stage = await bridgeFixture();
    const works = await startMany(stage, 20);
    // The constructor of a browser: no headers, no status.
    const client = stage.client({ WebSocket: WebSocket as unknown as WebSocketConstructor });
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    await Promise.all(works.map((work) => work.report(2)));
    for (const socket of stage.sockets) socket.destroy();
    await Promise.all(works.map((work) => work.report(1)));
    await eventually(() => readers.every(({ ids }) => ids.length === 4));
    await Promise.all(works.map((work) => work.finish()));
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
    expect(stage.upgrades.length).toBeLessThanOrEqual(2);
    expect(stage.protocols).toEqual(stage.upgrades.map(() => `taskbridge.v1,bearer.${Buffer.from('good').toString('base64url')}`));
  });

  test('above what one socket takes go on another one', async () => {
    const stage = await bridgeFixture({ live: { tasksPerSocketMax: 8 } });
    const works = await startMany(stage, 20);
    const client = stage.client();
    const readers = works.map(({ taskId }) => consume(client.observe(taskId)));
    await Promise.all(works.map((work) => work.report(2)));
    await eventually(() => readers.every(({ ids }) => ids.length === 3));
    expect(stage.sockets.size).toBe(3);
    await Promise.all(works.map((work) => work.finish()));
    await Promise.all(readers.map(({ over }) => over));
    for (const [i, reader] of readers.entries()) expect(reader.ids).toEqual(await works[i]?.log());
    expect(stage.upgrades).toHaveLength(3);
  });

  test('with two cursors in one log have a socket for each cursor', async () => {
    const stage = await bridgeFixture();
    const work = await stage.start();
    const other = await stage.start();
    await work.report(5);
    const client = stage.client();
    const readers = [
      consume(client.observe(work.taskId)),
      consume(client.observe(other.taskId)),
      consume(client.observe(work.taskId, { lastEventId: (await work.log())[3] ?? '' })),
    ];
    await eventually(() => readers[0]?.ids.length === 6 && readers[2]?.ids.length === 2);
    await work.finish();
    await other.finish();
    await Promise.all(readers.map(({ over }) => over));
    expect(readers[0]?.ids).toEqual(await work.log());
    expect(readers[2]?.ids).toEqual((await work.log()).slice(4));
  });

  test('have a socket each where the sockets are the host’s own, and share one where those are multiplexed', async () => {
    const stage = await bridgeFixture();
    const works = await startMany(stage, 6);
    let opened = 0;
    const own: SocketPort = {
      ...nodeSockets(),
      open: (...args) => {
        opened += 1;
        return nodeSockets().open(...args);
      },
    };
    for (const [sockets, expected] of [
      [own, 6],
      [multiplexed(own), 1],
    ] as const) {
      opened = 0;
      const client = stage.client({ sockets });
      const observations = works.map(({ taskId }) => client.observe(taskId));
      await Promise.all(observations.map((one) => until(one, ({ connection }) => connection.state === 'live')));
      expect(opened).toBe(expected);
      await client.close();
      await eventually(() => stage.sockets.size === 0);
    }
  });
});

describe('close() of', () => {
  test('an observation unsubscribes it, of the last one closes the socket', async () => {
    const stage = await bridgeFixture();
    const works = await startMany(stage, 3);
    const clock = fakeClock();
    const client = stage.client({ clock });
    const observations = works.map(({ taskId }) => client.observe(taskId));
    await Promise.all(observations.map((one) => until(one, ({ connection }) => connection.state === 'live')));
    observations[0]?.close();
    observations[1]?.close();
    const again = client.observe(works[0]?.taskId ?? '');
    await until(again, ({ connection }) => connection.state === 'live');
    expect([stage.sockets.size, stage.upgrades.length]).toEqual([1, 1]);
    again.close();
    observations[2]?.close();
    expect(clock.armed).toEqual([]);
    await eventually(() => stage.sockets.size === 0);
  });

  test('the client, at any moment of 100 observations, leaves no timer and no socket', async () => {
    const stage = await bridgeFixture();
    const works = await startMany(stage, 100);
    for (const turns of [0, 1, 2, 5, 10, 20, 50]) {
      const clock = fakeClock();
      const client = stage.client({ clock });
      for (const { taskId } of works) client.observe(taskId).subscribe(() => undefined);
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      await client.close();
      expect(clock.armed).toEqual([]);
      await eventually(() => stage.sockets.size === 0);
    }
  });
});
