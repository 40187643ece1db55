import { once } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { inProcess } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore, type Memory } from '../../adapters/memory/index.ts';
import type { Store } from '../../server/index.ts';
import { parseNotice, textOfNotice } from '../../server/live/notices.ts';
import { quiesce } from './hub-fixture.ts';
import { bridgeOf, type RunningBridge } from '../server/bridge-of.ts';

const ask = inProcess({
  ask: async (task) => void (await task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] })),
});
/** Polls that were begun, by their task. */
const polled = new Set<string>();
const diagnostics = { onReplayStart: (transport: string, taskId: string) => void (transport === 'poll' && polled.add(taskId)) };
const tasksOf = (subject: string) => ({ authorization: subject });

/** A node, and who may come to it. */
async function node(store: Store, allowed = new Set(['alice', 'bob'])): Promise<RunningBridge> {
  return bridgeOf(ask, {
    store,
    diagnostics,
    auth: ({ headers: { authorization = '' } }) => (allowed.has(authorization) ? { subject: authorization } : undefined),
  });
}

const sharedStore = (memory: Memory): Store => memoryStore({ memory });

/** Opens every kind of connection that lasts, and says which of them are there. */
async function watching({ url, bridge }: RunningBridge, subject: string): Promise<() => string[]> {
  const created = await bridge.tasks({ subject }).start({ clientRequestId: `${url} ${subject}`, taskType: 'ask' });
  const { taskId } = created;
  await vi.waitFor(async () => expect((await bridge.tasks({ subject }).get(taskId)).state).toBe('suspended'));
  const { lastEventId } = await bridge.tasks({ subject }).get(taskId);
  const after = lastEventId ?? '';
  const here = new Set<string>();
  const headers = tasksOf(subject);

  for (const [name, query] of [
    ['socket', ''],
    ['shared socket', '?extensions=multiplex'],
  ] as const) {
    const ws = new WebSocket(`${url.replace('http', 'ws')}/api/v1/tasks/ws${query}`, { headers });
    onTestFinished(() => ws.terminate());
    const confirmed = new Promise((resolve) => ws.on('message', (data: Buffer) => String(data).includes('CONFIRMED') && resolve(data)));
    await once(ws, 'open');
    ws.send(JSON.stringify({ action: 'subscribe', taskId, lastEventId: after }));
    await confirmed;
    here.add(name);
    // A loss, which every client takes for weather: no close frame.
    ws.once('close', (code) => code === 1006 && here.delete(name));
  }

  const events = `${url}/api/v1/tasks/${taskId}/events`;
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const stream = await fetch(`${events}/stream?lastEventId=${after}`, { headers, signal: stop.signal });
  here.add('stream');
  void stream.text().catch(() => here.delete('stream'));
  const shared = await fetch(`${url}/api/v1/tasks/events/stream?tasks=${taskId}@${after}`, { headers, signal: stop.signal });
  here.add('shared stream');
  void shared.text().catch(() => here.delete('shared stream'));

  here.add('poll');
  void fetch(`${events}?afterEventId=${after}&waitTimeoutMs=60000`, { headers, signal: stop.signal }).then(
    async (response) => here.delete('poll') && (await response.text()),
    () => undefined,
  );
  await vi.waitFor(() => expect(polled).toContain(taskId));
  // It has read that there is nothing, and waits.
  await quiesce();
  const follower = bridge.tasks({ subject }).watch(taskId, { after })[Symbol.asyncIterator]();
  here.add('follower');
  follower.next().catch((error: unknown) => (error as { code?: string }).code === 'AUTHENTICATION_ERROR' && here.delete('follower'));
  onTestFinished(() => void follower.return?.());
  await quiesce();
  return () => [...here];
}

const all = ['socket', 'shared socket', 'stream', 'shared stream', 'poll', 'follower'];

describe('a subject that is disconnected', () => {
  it('loses every live connection on every node, and nobody else does', async () => {
    const memory = createMemory();
    const [one, two] = [await node(sharedStore(memory)), await node(sharedStore(memory))];
    const alices = [await watching(one, 'alice'), await watching(two, 'alice')];
    const bobs = [await watching(one, 'bob'), await watching(two, 'bob')];
    await vi.waitFor(() => expect([...alices, ...bobs].map((here) => here())).toEqual([all, all, all, all]));
    expect(await one.bridge.disconnect({ subject: 'alice' })).toBe(6);
    await vi.waitFor(() => expect(alices.map((here) => here())).toEqual([[], []]));
    expect(bobs.map((here) => here())).toEqual([all, all]);
  });

  it('comes back with the credentials that it has, which are looked at anew', async () => {
    const allowed = new Set(['alice', 'bob']);
    const one = await node(memoryStore(), allowed);
    const here = await watching(one, 'alice');
    allowed.delete('alice');
    await one.bridge.disconnect({ subject: 'alice' });
    await vi.waitFor(() => expect(here()).toEqual([]));
    const again = new WebSocket(`${one.url.replace('http', 'ws')}/api/v1/tasks/ws`, { headers: tasksOf('alice') });
    const [, answer] = (await once(again, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(answer.statusCode).toBe(401);
  });

  it('ends here also where other nodes cannot be told, and says so', async () => {
    const store = memoryStore();
    const refusing: Store = {
      ...store,
      tail: (listener) => ({ ...store.tail(listener), announce: () => Promise.reject(new Error('READONLY')) }),
    };
    const one = await node(refusing);
    const here = await watching(one, 'alice');
    await expect(one.bridge.disconnect({ subject: 'alice' })).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await vi.waitFor(() => expect(here()).toEqual([]));
  });
});

describe('a predicate', () => {
  it('ends the connections of this process that it is true for, and none of another', async () => {
    const memory = createMemory();
    const [one, two] = [await node(sharedStore(memory)), await node(sharedStore(memory))];
    const [here, there] = [await watching(one, 'alice'), await watching(two, 'alice')];
    expect(await one.bridge.disconnect(({ subject }) => subject.startsWith('a'))).toBe(6);
    await vi.waitFor(() => expect(here()).toEqual([]));
    expect(there()).toEqual(all);
    expect(await one.bridge.disconnect(() => true)).toBe(0);
  });

  it('that throws ends nothing', async () => {
    const one = await node(memoryStore());
    const here = await watching(one, 'alice');
    await expect(
      one.bridge.disconnect(() => {
        throw new Error('which?');
      }),
    ).rejects.toThrow('which?');
    expect(here()).toEqual(all);
  });
});

it.each([[{}], [{ subject: '' }], [undefined], [{ subject: 7 }]])('refuses to disconnect nobody: %j', async (who) => {
  const one = await node(memoryStore());
  await expect(one.bridge.disconnect(who as never)).rejects.toThrow(/takes \{ subject: a text \} or a predicate/);
});

describe('a notice', () => {
  it('says who it is from and about whom', () => {
    const notice = { from: '0123456789abcdef', disconnect: { subject: 'ann "the first"\n' } };
    expect(parseNotice(textOfNotice(notice))).toEqual(notice);
  });

  it.each(['', 'null', '[]', '{"v":1}', '{"v":1,"from":"a","disconnect":{}}', '{"v":2,"from":"a","disconnect":{"subject":"b"}}'])(
    'of another kind is left alone: %s',
    (text) => {
      expect(parseNotice(text)).toBeUndefined();
    },
  );
});
