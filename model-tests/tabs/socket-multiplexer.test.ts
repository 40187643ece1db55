import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { openVirtual, request, scriptedTabs, type UpstreamSocket } from './scripted-sockets.ts';

const fact = (n: number, ms = 1000) => ({ type: 'TASK_PROGRESS', taskId: 'task-1', eventId: `${n}-${ms}`, createdAt: 'now', payload: {} });
const confirmed = (cursor: string | null) => ({
  type: 'SUBSCRIPTION_CONFIRMED',
  taskId: 'task-1',
  replayStartedAfterEventId: cursor,
  live: true,
  extensions: ['gap'],
});
const gap = (reason: string, firstEventId: string) => ({ type: 'GAP', taskId: 'task-1', reason, firstEventId });
const heartbeat = { type: 'HEARTBEAT', taskId: 'task-1', live: true };

function send({ server }: UpstreamSocket | undefined = missing(), ...frames: object[]): void {
  for (const frame of frames) server.frame(JSON.stringify(frame));
}
function missing(): never {
  throw new Error('There is no such socket.');
}

/** Two tabs that stand at the fifth fact of one task; the first leads. */
async function twoTabs(cursors: readonly [string | null, string | null] = [null, null]) {
  const { port, tab } = scriptedTabs();
  const first = tab();
  await eventually(() => first.getSnapshot() === 'leading');
  const second = tab();
  const one = openVirtual(first, cursors[0]);
  port.opened[0]?.server.opened();
  await eventually(() => port.opened[0]?.cursors.length === 1);
  const other = openVirtual(second, cursors[1]);
  await eventually(() => other.told.includes('opened'));
  return { port, first, second, one, other };
}

describe('a leading tab', () => {
  test('confirms each virtual socket with its own cursor, and gives each what it does not have', async () => {
    const { port, one, other } = await twoTabs(['2-1000', '4-1000']);
    const [socket] = port.opened;
    await new Promise((resolve) => setImmediate(resolve));
    send(socket, confirmed('2-1000'), fact(3), fact(4), fact(5), heartbeat);
    await eventually(() => other.told.length === 4);
    expect(one.told).toEqual(['opened', confirmed('2-1000'), fact(3), fact(4), fact(5), heartbeat]);
    expect(other.told).toEqual(['opened', confirmed('4-1000'), fact(5), heartbeat]);
    expect(port.opened).toHaveLength(1);
  });

  test('goes back to the cursor of one that joins, and repeats nothing for the others', async () => {
    const { port, one, other } = await twoTabs(['5-1000', '2-1000']);
    await eventually(() => port.opened.length === 2);
    const [former, socket] = port.opened;
    expect(former?.isClosed).toBe(true);
    socket?.server.opened();
    expect(socket?.cursors).toEqual(['2-1000']);
    send(socket, confirmed('2-1000'), fact(3), fact(4), fact(5), fact(6));
    await eventually(() => other.told.length === 6);
    expect(one.told).toEqual(['opened', confirmed('5-1000'), fact(6)]);
    expect(other.told).toEqual(['opened', confirmed('2-1000'), fact(3), fact(4), fact(5), fact(6)]);
  });

  test('tells a gap only to those that miss something by it', async () => {
    const { port, one, other } = await twoTabs(['2-1000', '20-1000']);
    const [socket] = port.opened;
    await new Promise((resolve) => setImmediate(resolve));
    send(socket, confirmed('2-1000'), gap('trimmed', '10-1000'), fact(10), fact(21));
    await eventually(() => other.told.length === 3);
    expect(one.told.slice(2)).toEqual([gap('trimmed', '10-1000'), fact(10), fact(21)]);
    expect(other.told.slice(2)).toEqual([fact(21)]);
  });

  test('shows a replaced history to the one whose cursor is of the former, and asks for those ahead on their own', async () => {
    const { port, first, one, other } = await twoTabs(['3-2000', '2-1000']);
    await eventually(() => port.opened.length === 2);
    const [, socket] = port.opened;
    socket?.server.opened();
    send(socket, confirmed('2-1000'), gap('reset', '1-2000'), fact(1, 2000), fact(2, 2000));
    await eventually(() => other.told.length === 5);
    expect(other.told.slice(2)).toEqual([gap('reset', '1-2000'), fact(1, 2000), fact(2, 2000)]);
    expect(one.told).toEqual(['opened', confirmed('3-2000'), 'cut']);
    const again = openVirtual(first, '3-2000');
    await eventually(() => port.opened.length === 3);
    port.opened[2]?.server.opened();
    await eventually(() => port.opened[2]?.cursors.length === 1);
    expect(port.opened[2]?.cursors).toEqual(['3-2000']);
    send(port.opened[2], confirmed('3-2000'), gap('reset', '1-2000'), fact(1, 2000));
    await eventually(() => again.told.length === 4);
    expect(again.told).toEqual(['opened', confirmed('3-2000'), gap('reset', '1-2000'), fact(1, 2000)]);
    expect(socket?.isClosed).toBe(false);
  });

  test('cuts one that stands where another history has another fact', async () => {
    const { port, one, other } = await twoTabs(['2-1000', '4-1000']);
    await new Promise((resolve) => setImmediate(resolve));
    send(port.opened[0], confirmed('2-1000'), fact(3, 2000), fact(4, 2000));
    await eventually(() => other.told.includes('cut'));
    expect(one.told.slice(2)).toEqual([fact(3, 2000), fact(4, 2000)]);
    expect(other.told).toEqual(['opened', confirmed('4-1000'), 'cut']);
  });

  test('tells of a close for good before it is confirmed only those that stand where it was asked to go on from', async () => {
    const { port, one, other } = await twoTabs(['2-1000', '4-1000']);
    await new Promise((resolve) => setImmediate(resolve));
    port.opened[0]?.server.closed(1008);
    await eventually(() => other.told.length === 2);
    expect([one.told, other.told]).toEqual([
      ['opened', 'closed 1008'],
      ['opened', 'cut'],
    ]);
  });

  test('passes on how a socket ended, and opens none before somebody asks again', async () => {
    const { port, one, other } = await twoTabs();
    port.opened[0]?.server.closed(1008);
    await eventually(() => other.told.length === 2);
    expect([one.told, other.told]).toEqual([
      ['opened', 'closed 1008'],
      ['opened', 'closed 1008'],
    ]);
    expect(port.opened).toHaveLength(1);
  });

  test('closes a task’s socket with its last virtual one', async () => {
    const { port, one, other } = await twoTabs();
    one.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(port.opened[0]?.isClosed).toBe(false);
    other.close();
    await eventually(() => port.opened[0]?.isClosed === true);
  });

  test('shows the newest credentials once a tab was refreshed, to all tasks', async () => {
    const { port, tab } = scriptedTabs();
    const first = tab();
    await eventually(() => first.getSnapshot() === 'leading');
    const renewed = { headers: { authorization: 'Bearer 2' } };
    openVirtual(first, null, request('task-1'));
    openVirtual(first, null, request('task-2'));
    await eventually(() => port.opened.length === 2);
    openVirtual(first, null, request('task-3', renewed));
    await eventually(() => port.opened.length === 5);
    expect(port.opened.map(({ request: asked, isClosed }) => [asked.taskId, asked.headers['authorization'], isClosed])).toEqual([
      ['task-1', 'Bearer 1', true],
      ['task-2', 'Bearer 1', true],
      ['task-3', 'Bearer 2', false],
      ['task-1', 'Bearer 2', false],
      ['task-2', 'Bearer 2', false],
    ]);
  });

  test('shows those of another tab after the server refused its own', async () => {
    const { port, first, second, one } = await twoTabs();
    port.opened[0]?.server.refused(401, '{}', undefined);
    await eventually(() => one.told.includes('refused 401'));
    openVirtual(second, null, request('task-1', { headers: { authorization: 'Bearer 2' } }));
    await eventually(() => port.opened.length === 2);
    openVirtual(first, null, request('task-2'));
    await eventually(() => port.opened.length === 3);
    expect(port.opened.slice(1).map(({ request: asked }) => asked.headers['authorization'])).toEqual(['Bearer 2', 'Bearer 2']);
  });

  test('tells a refusal of the credentials only to tabs that have those', async () => {
    const { port, tab } = scriptedTabs();
    const first = tab();
    await eventually(() => first.getSnapshot() === 'leading');
    const stale = openVirtual(first, null, request('task-1'));
    await eventually(() => port.opened.length === 1);
    const good = openVirtual(tab(), null, request('task-2', { headers: { authorization: 'Bearer 2' } }));
    await eventually(() => port.opened.length === 2);
    expect(port.opened.map(({ request: asked }) => asked.headers['authorization'])).toEqual(['Bearer 1', 'Bearer 1']);
    for (const { server } of port.opened) server.refused(401, '{}', undefined);
    await eventually(() => good.told.length === 1);
    expect([stale.told, good.told]).toEqual([['refused 401'], ['cut']]);
  });

  test('gives sockets of their own to cursors that cannot be compared', async () => {
    const { port, one, other } = await twoTabs(['b', 'a']);
    await eventually(() => port.opened.length === 2);
    const [socket, own] = port.opened;
    own?.server.opened();
    expect([socket?.cursors, own?.cursors]).toEqual([['b'], ['a']]);
    send(own, confirmed('a'), { ...fact(1), eventId: 'c' });
    await eventually(() => other.told.length === 3);
    expect(one.told).toEqual(['opened']);
  });

  test.each([1, 2, 3])('refuses what is above the virtual sockets of one tab, not %i at a limit of 2', async (count) => {
    const { tab } = scriptedTabs({ limits: { socketsMax: 2 } });
    const first = tab();
    await eventually(() => first.getSnapshot() === 'leading');
    const all = Array.from({ length: count }, (_, index) => openVirtual(first, null, request(`task-${index}`)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(all.map(({ told }) => told)).toEqual([[], [], ['refused 429']].slice(0, count));
  });

  test('refuses the sockets of one tab too many', async () => {
    const { tab } = scriptedTabs({ limits: { tabsMax: 1 } });
    const first = tab();
    await eventually(() => first.getSnapshot() === 'leading');
    const [one, other] = [openVirtual(tab(), null), openVirtual(tab(), null)];
    await eventually(() => one.told.length + other.told.length === 1);
    expect([...one.told, ...other.told]).toEqual(['refused 429']);
  });

  test('stops telling a tab that takes nothing, which comes back by itself', async () => {
    const { port, tab } = scriptedTabs({ limits: { untakenCharactersMax: 1000 } });
    const first = tab();
    await eventually(() => first.getSnapshot() === 'leading');
    const other = openVirtual(tab(), null);
    await eventually(() => port.opened.length === 1);
    port.opened[0]?.server.opened();
    await eventually(() => port.opened[0]?.cursors.length === 1);
    send(port.opened[0], confirmed(null), { ...fact(1), payload: { text: 'x'.repeat(2000) } });
    // A later turn of the leader, before the other tab has said that it took anything.
    await Promise.resolve();
    await Promise.resolve();
    send(port.opened[0], fact(2));
    await eventually(() => other.told.includes('cut'));
    expect(other.told).toHaveLength(4);
    expect(port.opened[0]?.isClosed).toBe(true);
  });
});

describe('a tab', () => {
  test('is alone without locks or channels, and connects by itself', async () => {
    for (const without of [{ locks: null }, { channels: null }] as const) {
      const { port, tab } = scriptedTabs(without);
      const sockets = tab();
      expect(sockets.getSnapshot()).toBe('alone');
      const one = openVirtual(sockets, null);
      port.opened[0]?.server.opened();
      send(port.opened[0], confirmed(null));
      expect(one.told).toEqual(['opened', confirmed(null)]);
      sockets.close();
      expect(one.told.at(-1)).toBe('cut');
      expect(port.opened[0]?.isClosed).toBe(true);
    }
  });

  test('is alone where the platform gives no locks to its page', async () => {
    const { tab } = scriptedTabs({ locks: { claim: (_name, listener) => (queueMicrotask(() => listener.refused()), () => undefined) } });
    const sockets = tab();
    await eventually(() => sockets.getSnapshot() === 'alone');
  });

  test('refuses a name that tells nobody apart', () => {
    expect(() => scriptedTabs({ name: ' ' }).tab()).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
