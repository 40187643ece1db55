import { createOutbox, memoryOutbox } from 'taskbridge/client/outbox';
import { platformChannels, processLocks, tabSockets, type ChannelPort, type LockPort } from 'taskbridge/client/tabs';
import { describe, expect, test } from 'vitest';
import { handGate } from '../outbox/outbox-harness.ts';
import { eventually } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { openVirtual, scriptedSockets } from './scripted-sockets.ts';

/** Ports that say how much of them is in use. */
function counted() {
  const open = new Set<object>();
  const inner = { locks: processLocks(), channels: platformChannels() };
  const locks: LockPort = {
    claim(name, listener, options) {
      const release = inner.locks.claim(name, listener, options);
      open.add(release);
      return () => {
        open.delete(release);
        release();
      };
    },
  };
  const channels: ChannelPort = {
    open(name, onMessage) {
      const channel = inner.channels?.open(name, onMessage) ?? { post: () => undefined, close: () => undefined };
      open.add(channel);
      return {
        post: (message) => channel.post(message),
        close() {
          open.delete(channel);
          channel.close();
        },
      };
    },
  };
  return { open, locks, channels, clock: fakeClock() };
}

describe('nothing is left', () => {
  test.each(['leading', 'following', 'alone'] as const)('of a tab that closes while it is %s', async (role) => {
    const other = counted();
    const mine = { ...counted(), ...(role === 'following' && { locks: other.locks }) };
    const port = scriptedSockets();
    const open = (ports: typeof mine) =>
      tabSockets({
        name: 'ada',
        sockets: port,
        clock: ports.clock,
        locks: role === 'alone' ? null : ports.locks,
        channels: ports.channels,
      });
    const first = role === 'following' ? open(other) : undefined;
    if (first) await eventually(() => first.getSnapshot() === 'leading');
    const before = other.open.size;
    const tab = open(mine);
    await eventually(() => tab.getSnapshot() === role);
    const virtual = openVirtual(tab, null);
    await eventually(() => port.opened.length === 1);
    port.opened[0]?.server.opened();
    await eventually(() => virtual.told.includes('opened'));
    tab.close();
    expect(virtual.told).toEqual(['opened', 'cut']);
    await eventually(() => port.opened[0]?.isClosed === true);
    expect(mine.open.size).toBe(0);
    expect(mine.clock.armed).toEqual([]);
    await eventually(() => other.open.size === before);
    first?.close();
    expect([other.open.size, other.clock.armed]).toEqual([0, []]);
    tab.close();
  });

  test.each(['idle', 'offline', 'elsewhere', 'sending', 'resting'] as const)('of an outbox that closes while it is %s', async (state) => {
    const { open, locks, channels, clock } = counted();
    const store = memoryOutbox(`ada-${state}`);
    const release =
      state === 'elsewhere'
        ? locks.claim(`taskbridge.outbox.${store.name}`, { held: () => undefined, lost: () => undefined, refused: () => undefined })
        : undefined;
    const cancel = (_id: string, _reason?: string, options?: { readonly signal?: AbortSignal }) =>
      state === 'sending'
        ? new Promise<never>((_resolve, reject) => options?.signal?.addEventListener('abort', () => reject(new Error('Aborted.'))))
        : Promise.reject(new Error('No network.'));
    const outbox = createOutbox({ cancel } as never, { store, locks, channels, clock, gate: handGate(state !== 'offline') });
    if (state !== 'idle') await outbox.cancel('task-1');
    await until(outbox, (snapshot) => snapshot.state === state);
    await outbox.close();
    release?.();
    expect([open.size, clock.armed, outbox.getSnapshot().state]).toEqual([0, [], 'closed']);
  });
});
