import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { inProcess } from 'taskbridge/adapters/in-process';
import { liveDefaults } from 'taskbridge/server';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { CommittedSnapshot } from '../../server/task/service.ts';
import { fakeService, RUNNING } from '../http/fake-service.ts';
import { startHost, type Host } from '../http/host.ts';
import { head } from '../http/raw.ts';
import { bridgeOf } from '../server/bridge-of.ts';
import { fakeClock } from '../support/fake-clock.ts';

const MIB = 1024 * 1024;
/** More than the kernel keeps of a connection that nobody reads, on either side. */
const UNREAD_BYTES = 40 * MIB;

/** Has room for three of these. */
const room = { unsentBytesMax: 4 * UNREAD_BYTES, unsentBytesPerOwnerMax: 4 * UNREAD_BYTES };

const GET = head(`GET /api/v1/tasks/${RUNNING}`);

function opened(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Reads at least so much, and no more than comes with it. */
function readSome(socket: Socket, bytes: number): Promise<void> {
  const until = socket.bytesRead + bytes;
  return new Promise((resolve) => {
    const onData = (): void => {
      if (socket.bytesRead < until) return;
      socket.pause().off('data', onData);
      resolve();
    };
    socket.on('data', onData);
    socket.resume();
  });
}

/** A host whose task has a result of so many bytes. */
async function hostOf(bytes: number, parts: Parameters<typeof startHost>[0] = {}): Promise<Host> {
  const { service } = fakeService();
  const result = Buffer.alloc(bytes, '1');
  const snapshot = async (...asked: Parameters<typeof service.snapshot>): Promise<CommittedSnapshot> => ({
    ...(await service.snapshot(...asked)),
    json: { result },
  });
  const host = await startHost({ ...parts, service: { ...service, snapshot } });
  onTestFinished(() => host.close());
  return host;
}

describe('requests that come in one packet', () => {
  it('are answered one after the other, each when the kernel has the answer before', async () => {
    const { service } = fakeService();
    const [begun, goOn]: [number[], (() => void)[]] = [[], []];
    const snapshot = async (...asked: Parameters<typeof service.snapshot>): Promise<CommittedSnapshot> => {
      begun.push(begun.length + 1);
      await new Promise<void>((resolve) => goOn.push(resolve));
      return service.snapshot(...asked);
    };
    const host = await startHost({ service: { ...service, snapshot } });
    onTestFinished(() => host.close());
    const socket = opened(host.port);
    let received = '';
    socket.on('data', (bytes: Buffer) => (received += bytes.toString()));
    socket.write(GET.repeat(5));
    for (let nth = 1; nth <= 5; nth += 1) {
      await vi.waitFor(() => expect(begun).toHaveLength(nth));
      // The others have been handed over too, in the same turn.
      expect((await fetch(`${host.url}/health`)).status).toBe(200);
      expect(begun).toHaveLength(nth);
      goOn.shift()?.();
    }
    await vi.waitFor(() => expect(received.match(/HTTP\/1\.1 200/g)).toHaveLength(5));
  });

  it('of a client that is gone are not begun', async () => {
    const { service } = fakeService();
    let begun = 0;
    const snapshot = async (): Promise<CommittedSnapshot> => {
      begun += 1;
      return new Promise(() => undefined);
    };
    const host = await startHost({ service: { ...service, snapshot } });
    onTestFinished(() => host.close());
    const socket = opened(host.port);
    socket.write(GET.repeat(5));
    await vi.waitFor(() => expect(begun).toBe(1));
    socket.resetAndDestroy();
    await once(socket, 'close');
    for (let looks = 0; looks < 3; looks += 1) await fetch(`${host.url}/health`);
    expect(begun).toBe(1);
  });

  it('wait for the host behind us as for ourselves', async () => {
    const host = await hostOf(2 * MIB);
    const socket = opened(host.port);
    let received = 0;
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length;
      text = (text + bytes.toString('latin1')).slice(-200);
    });
    socket.write(GET + head('GET /elsewhere', { connection: 'close' }));
    await once(socket, 'end');
    expect(received).toBeGreaterThan(2 * MIB);
    expect(text).toContain('the host');
  });
});

describe('an answer that nobody reads', () => {
  it('is cut when its peer has taken nothing for stalledMs', async () => {
    const clock = fakeClock();
    const host = await hostOf(UNREAD_BYTES, { clock, options: room });
    const [unread, read] = [opened(host.port).pause(), opened(host.port).pause()];
    for (const socket of [unread, read]) socket.write(GET);
    const closed = once(unread, 'close');
    await vi.waitFor(() => expect(clock.next).toBeDefined());
    for (let looks = 0; looks < 8; looks += 1) {
      // What it takes is more than the kernel had ready for it.
      await readSome(read, UNREAD_BYTES / 20);
      clock.advance(liveDefaults.stalledMs / 4);
    }
    unread.resume();
    await closed;
    expect(unread.bytesRead).toBeLessThan(UNREAD_BYTES);
    read.resume();
    await vi.waitFor(() => expect(read.bytesRead).toBeGreaterThan(UNREAD_BYTES));
  });

  it('makes no answer of the others wait', async () => {
    const host = await hostOf(UNREAD_BYTES, { options: room });
    for (let nth = 0; nth < 3; nth += 1) opened(host.port).pause().write(GET.repeat(50));
    for (let looks = 0; looks < 10; looks += 1) expect((await fetch(`${host.url}/health`)).status).toBe(200);
  });
});

describe('a page of a long log', () => {
  const PAGES = 480;
  const essay = inProcess({
    essay: async (task) => {
      for (let page = 0; page < PAGES; page += 1) void task.message('x'.repeat(7900));
    },
  });

  interface Page {
    readonly events: readonly { readonly eventId: string }[];
    readonly nextAfterEventId: string;
    readonly hasMore: boolean;
    readonly terminal: boolean;
  }

  async function written(http = {}): Promise<(after?: string) => Promise<Page>> {
    const { url, start, snapshot } = await bridgeOf(essay, { http });
    const taskId = await start('essay');
    await vi.waitFor(async () => expect((await snapshot(taskId)).state).toBe('completed'));
    return async (after = '') => {
      const target = `${url}/api/v1/tasks/${taskId}/events?maxEvents=500&afterEventId=${after}`;
      return (await (await fetch(target, { headers: { authorization: 'alice' } })).json()) as Page;
    };
  }

  it('comes in pieces, and says the same as in one', async () => {
    const page = await (await written())();
    expect(page.events).toHaveLength(PAGES + 2);
    expect(page).toMatchObject({ hasMore: false, terminal: true, nextAfterEventId: page.events.at(-1)?.eventId });
  });

  it('ends early where there is no room for more of it, and says that there is more', async () => {
    const poll = await written({ unsentBytesPerOwnerMax: 200 * 1024 });
    const seen: string[] = [];
    let pages = 0;
    for (let page: Page | undefined; !page?.terminal; pages += 1) {
      page = await poll(page?.nextAfterEventId);
      expect(page.events.length).toBeGreaterThan(0);
      expect(page.hasMore).toBe(!page.terminal);
      seen.push(...page.events.map(({ eventId }) => eventId));
    }
    // Less than one piece: each page is the first piece alone.
    expect(pages).toBeGreaterThan(10);
    expect(seen).toHaveLength(PAGES + 2);
    expect(new Set(seen).size).toBe(PAGES + 2);
  });
});
