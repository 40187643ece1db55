import { EventEmitter, once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { createSilentPeers } from '../../server/http/sse/index.ts';
import { SocketConnection, type SocketConnectionDeps } from '../../server/http/web-socket/socket-connection.ts';
import { WaitingSockets } from '../../server/http/web-socket/waiting-sockets.ts';
import { FrameRate } from '../../server/live/frame-rate.ts';
import { OwnerCount } from '../../server/live/owner-count.ts';
import { timerAt } from '../../server/live/timer-queue.ts';
import { leapingClock } from '../support/date-clock.ts';
import { fakeViewer, hubFixture, quiesce } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

const TEN_MINUTES_MS = 600_000;

it('a date that is set back makes a wait at most twice as long, where a clock has no other time', async () => {
  const { monotonic: _, ...clock } = leapingClock();
  const { store, hub } = await hubFixture({ clock });
  const task = await taskLog(store);
  await task.append();
  const viewer = fakeViewer(clock, 'sse');
  hub.subscribe(task.taskId, viewer, undefined);
  const answered = vi.fn();
  hub.poll(task.taskId, { owner: 'ann', after: task.ids[0], waitMs: 25_000, maxEvents: 10 }).then(answered, answered);
  await quiesce();
  clock.leap(-TEN_MINUTES_MS);
  for (let beat = 0; beat < 2; beat += 1) {
    clock.advance(25_000);
    await quiesce();
  }
  expect(answered).toHaveBeenCalledOnce();
  const before = viewer.heartbeats;
  clock.advance(hub.options.sseHeartbeatMs);
  await quiesce();
  expect(viewer.heartbeats).toBe(before + 1);
});

describe.each([
  ['back', -TEN_MINUTES_MS],
  ['forward', TEN_MINUTES_MS],
])('when the date is set ten minutes %s', (_way, leapMs) => {
  async function fixture() {
    const clock = leapingClock();
    const { store, hub } = await hubFixture({ clock });
    const task = await taskLog(store);
    await task.append();
    return { clock, store, hub, task };
  }

  it.each(['ws', 'sse'] as const)('an idle viewer over %s has its heartbeats as before', async (transport) => {
    const { clock, hub, task } = await fixture();
    const viewer = fakeViewer(clock, transport);
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    const { heartbeatMs, sseHeartbeatMs } = hub.options;
    const everyMs = transport === 'ws' ? heartbeatMs : sseHeartbeatMs;
    for (let beat = 1; beat <= 4; beat += 1) {
      if (beat === 2) clock.leap(leapMs);
      clock.advance(everyMs);
      await quiesce();
      expect(viewer.heartbeats).toBe(beat);
    }
  });

  it('a viewer that takes nothing is cut in time, and not before', async () => {
    const { clock, hub, task } = await fixture();
    const viewer = fakeViewer(clock);
    viewer.blocked = true;
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    clock.leap(leapMs);
    clock.advance(hub.options.stalledMs - 1);
    expect(viewer.state).toBe('open');
    clock.advance(hub.options.stalledMs / 4 + 1);
    expect(viewer.state).toBe('cut');
  });

  it('a poll ends when its wait is over', async () => {
    const { clock, hub, task } = await fixture();
    const answered = vi.fn();
    hub.poll(task.taskId, { owner: 'ann', after: task.ids[0], waitMs: 25_000, maxEvents: 10 }).then(answered, answered);
    await quiesce();
    clock.leap(leapMs);
    clock.advance(24_999);
    await quiesce();
    expect(answered).not.toHaveBeenCalled();
    clock.advance(1);
    await quiesce();
    expect(answered).toHaveBeenCalledOnce();
  });

  it('credentials end when they would have: viewers and polls with them', async () => {
    const { clock, hub, task } = await fixture();
    const viewer = fakeViewer(clock);
    const ended = vi.fn();
    const expiresAt = clock.now() + 1000;
    hub.subscribe(task.taskId, viewer, task.ids[0], { cutAt: expiresAt });
    void hub.poll(task.taskId, { owner: 'ann', after: task.ids[0], waitMs: 25_000, maxEvents: 10, expiresAt }).then(ended);
    timerAt(clock, expiresAt, ended);
    await quiesce();
    clock.leap(leapMs);
    clock.advance(999);
    await quiesce();
    expect([viewer.state, ended.mock.calls.length]).toEqual(['open', 0]);
    clock.advance(1);
    await quiesce();
    expect([viewer.state, ended.mock.calls.length]).toEqual(['cut', 2]);
  });

  it('lost messages are looked for as before, and a store that failed is asked again', async () => {
    const { clock, store, hub, task } = await fixture();
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    store.loses = () => true;
    await task.append();
    clock.leap(leapMs);
    clock.advance(hub.options.heartbeatMs);
    await quiesce();
    expect(viewer.ids).toEqual(task.ids);
    store.readFault = new Error('down');
    const other = fakeViewer(clock);
    hub.subscribe(task.taskId, other, undefined);
    await quiesce();
    store.readFault = undefined;
    clock.leap(leapMs);
    clock.advance(hub.options.storeRetryMs);
    await quiesce();
    expect(other.ids).toEqual(task.ids);
  });

  it('a hub that closes cuts its viewers in the time that it was given', async () => {
    const { clock, hub, task } = await fixture();
    const viewer = fakeViewer(clock);
    hub.subscribe(task.taskId, viewer, undefined);
    await quiesce();
    void hub.close({ spreadMs: 4000 });
    clock.leap(leapMs);
    clock.advance(4000);
    expect(viewer.state).toBe('cut');
  });

  it('a socket is pinged as before, and one that is silent is broken', async () => {
    const clock = leapingClock();
    const { hub } = await hubFixture({ clock });
    const heartbeatMs = hub.options.heartbeatMs;
    const ws = Object.assign(new EventEmitter(), { OPEN: 1, CLOSED: 3, readyState: 1, ping: vi.fn(), terminate: vi.fn() });
    const socket = Object.assign(new EventEmitter(), { writableLength: 0, bytesRead: 0 });
    const frames = new FrameRate({ clock, framesPerSecondMax: 10 });
    const deps = { hub, clock, frames, count: new OwnerCount(), waiting: new WaitingSockets() } as unknown as SocketConnectionDeps;
    const accepted = {
      ws: ws as unknown as WebSocket,
      socket: socket as unknown as Socket,
      auth: { subject: 'ann' },
      extensions: undefined,
    };
    new SocketConnection(deps, accepted).keep({ close: () => undefined });
    clock.advance(heartbeatMs);
    socket.bytesRead += 1;
    clock.leap(leapMs);
    clock.advance(heartbeatMs);
    expect([ws.ping.mock.calls.length, ws.terminate.mock.calls.length]).toEqual([2, 0]);
    clock.advance(heartbeatMs);
    expect(ws.terminate).toHaveBeenCalledOnce();
  });

  it('frames are metered as before', () => {
    const clock = leapingClock();
    const rate = new FrameRate({ clock, framesPerSecondMax: 10 });
    rate.enter('ann');
    for (let frame = 0; frame < 20; frame += 1) expect(rate.take('ann')).toBe(0);
    clock.leap(leapMs);
    expect(rate.take('ann')).toBe(100);
    clock.advance(200);
    expect(rate.take('ann')).toBe(0);
  });

  it('a peer that acknowledges nothing is found in time, and not before', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const ours = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [socket] = (await once(server, 'connection')) as [Socket];
    onTestFinished(() => {
      ours.destroy();
      socket.destroy();
      server.close();
    });
    const clock = leapingClock();
    const looks = new EventEmitter();
    const port = (value = 0) => value.toString(16).toUpperCase().padStart(4, '0');
    const line = `   1: 0100007F:${port(socket.localPort)} 0100007F:${port(socket.remotePort)} 01 000000C8:00000000 00:0 0 0 0 1 1`;
    const peers = createSilentPeers({
      clock,
      stalledMs: 60_000,
      readTables: () => {
        setImmediate(() => looks.emit('look'));
        return Promise.resolve([line]);
      },
    });
    const onSilent = vi.fn();
    peers.watch(socket, onSilent);
    for (let quarter = 1; quarter <= 5; quarter += 1) {
      if (quarter === 2) clock.leap(leapMs);
      expect(onSilent).not.toHaveBeenCalled();
      const looked = once(looks, 'look');
      clock.advance(15_000);
      await looked;
    }
    expect(onSilent).toHaveBeenCalledOnce();
  });
});
