import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import Koa from 'koa';
import { inProcess } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import {
  platformChannels,
  processLocks,
  tabSockets,
  type ChannelPort,
  type LockPort,
  type TabLimits,
  type TabSockets,
} from 'taskbridge/client/tabs';
import {
  createTaskBridgeClient,
  nodeSockets,
  platformClock,
  type Clock,
  type TaskBridgeClient,
  type TaskBridgeClientOptions,
} from 'taskbridge/client/node';
import { multiplexed, type SocketPort } from 'taskbridge/client/transports';
import { createTaskBridge, type TaskBridgeOptions } from 'taskbridge/server';
import { onTestFinished } from 'vitest';
import { until } from '../support/until.ts';
import { onLoopback } from '../support/loopback.ts';

/** A bridge behind a real server that counts the WebSockets that it has. */
export interface TabHost {
  readonly baseUrl: string;
  /** WebSockets that are open. */
  readonly open: Set<Duplex>;
  /** How many there ever were. */
  readonly upgrades: number;
  /** The most that were open at a time. */
  readonly most: number;
}

export async function hostOf(handlers: Parameters<typeof inProcess>[0], options: Partial<TaskBridgeOptions> = {}): Promise<TabHost> {
  const bridge = createTaskBridge({
    store: memoryStore(),
    executor: inProcess(handlers),
    auth: () => ({ subject: 'ada' }),
    logger: { warn: () => undefined, error: () => undefined },
    ...options,
  });
  const app = new Koa();
  app.use(bridge.middleware({ prefix: '/api/v1' }));
  const server = createServer(app.callback());
  const open = new Set<Duplex>();
  const counts = { upgrades: 0, most: 0 };
  server.on('upgrade', (request, socket: Duplex, head) => {
    open.add(socket);
    counts.upgrades += 1;
    counts.most = Math.max(counts.most, open.size);
    socket.on('close', () => open.delete(socket));
    bridge.upgrade(request, socket, head);
  });
  await bridge.start();
  const { url, close } = await onLoopback(server);
  onTestFinished(async () => {
    await bridge.close();
    await close();
  });
  return {
    baseUrl: url,
    open,
    get upgrades() {
      return counts.upgrades;
    },
    get most() {
      return counts.most;
    },
  };
}

/** One tab of a browser: sockets, and the client that uses them. */
export interface Tab {
  readonly sockets: TabSockets;
  readonly client: TaskBridgeClient;
  /**
   * Its clock stands still, and nothing that comes is heard, until the answer is called; but what comes over its channels where it `hears` them, as
   * a page does that Chromium has frozen.
   */
  freeze(how?: { readonly hears: boolean }): () => void;
  close(): Promise<void>;
}

/** The tabs of one browser. */
export function browser(baseUrl: string, locks: LockPort = processLocks()) {
  return (options: Partial<TaskBridgeClientOptions> = {}, limits: Partial<TabLimits> = {}): Tab => {
    const ice = createIce();
    const sockets = tabSockets({
      name: 'ada',
      sockets: ice.sockets(multiplexed(nodeSockets())),
      locks: ice.locks(locks),
      channels: ice.channels(platformChannels()),
      clock: ice.clock,
      limits,
    });
    const client = createTaskBridgeClient({
      baseUrl,
      sockets,
      transports: ['ws'],
      clock: ice.clock,
      ...options,
      limits: { backoffBaseMs: 1, backoffMaxMs: 4, ...options.limits },
    });
    const close = async (): Promise<void> => {
      await client.close();
      sockets.close();
    };
    onTestFinished(close);
    return { sockets, client, freeze: ice.freeze, close };
  };
}

/** What freezes with a page: its timers, and everything that it would hear. */
function createIce() {
  const held: (() => void)[] = [];
  let isFrozen = false;
  let hearsChannels = false;
  const unless =
    (isAwake: () => boolean) =>
    <T extends unknown[]>(fn: (...args: T) => void) =>
    (...args: T): void => {
      if (isAwake()) fn(...args);
      else held.push(() => fn(...args));
    };
  const later = unless(() => !isFrozen);
  const heard = unless(() => !isFrozen || hearsChannels);
  const clock: Clock = { ...platformClock, setTimeout: (fn, ms) => platformClock.setTimeout(later(fn), ms) };
  return {
    clock,
    locks: (port: LockPort): LockPort => ({
      claim: (name, listener, options) =>
        port.claim(
          name,
          { held: later(() => listener.held()), lost: later(() => listener.lost()), refused: later(() => listener.refused()) },
          options,
        ),
    }),
    sockets: (port: SocketPort): SocketPort => ({
      ...port,
      open: (request, listener) =>
        port.open(request, {
          opened: later(() => listener.opened()),
          frame: later((text) => listener.frame(text)),
          closed: later((closeCode) => listener.closed(closeCode)),
          cut: later(() => listener.cut()),
          refused: later((...answer) => listener.refused(...answer)),
        }),
    }),
    channels: (port: ChannelPort | undefined): ChannelPort | null =>
      port ? { open: (name, onMessage) => port.open(name, heard(onMessage)) } : null,
    freeze({ hears = false } = {}) {
      isFrozen = true;
      hearsChannels = hears;
      return () => {
        isFrozen = false;
        for (const fn of held.splice(0)) fn();
      };
    },
  };
}

/** Resolves once it leads. */
export async function untilLeading({ sockets }: Tab): Promise<void> {
  await until(sockets, (state) => state === 'leading');
}

/** The numbers of all facts of a task. */
export async function numbersOf(
  { client }: Tab,
  taskId: string,
  onFact: (n: number) => void | Promise<void> = () => undefined,
): Promise<number[]> {
  const found: number[] = [];
  for await (const { eventId } of client.observe(taskId)) {
    const n = Number(eventId.split('-')[0]);
    found.push(n);
    await onFact(n);
  }
  return found;
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
