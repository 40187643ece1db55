import { memoryStore } from '../../adapters/memory/index.ts';
import type { ServerChance, Entry, EventStore, Store, TailListener, ViewerTransport } from '../../server/ports/index.ts';
import type { Gap } from '../../machines/wire/index.ts';
import { createLiveHub, type LiveHub, type LiveHubDeps } from '../../server/live/hub.ts';
import { batchDefaults, type BatchSizes } from '../../server/live/batch-sizes.ts';
import type { Viewer } from '../../server/live/viewer.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';

export const evenChance: ServerChance = { hex: (digits) => 'a'.repeat(digits), fraction: () => 0.5 };

/** A memory store whose tail a test disturbs, and whose reads it counts. */
export interface TestStore extends Store {
  /** Messages for which this gives true are lost. */
  loses: (...told: Parameters<TailListener['committed']>) => boolean;
  /** The same for bytes of parts. */
  losesPart: () => boolean;
  /** Throws instead of reading, where it is set. */
  readFault: Error | undefined;
  /** Replaces what the tail's `watch` does, where it is set. */
  watchFault: Error | undefined;
  readonly reads: number;
  readonly asked: number;
  readonly unwatched: string[];
  /** Says that the connection was renewed. */
  interrupt(): void;
}

export async function testStore(): Promise<TestStore> {
  const store = memoryStore();
  await store.open();
  let listener: TailListener | undefined;
  let reads = 0;
  let asked = 0;
  const unwatched: string[] = [];
  const test: TestStore = {
    ...store,
    loses: () => false,
    losesPart: () => false,
    readFault: undefined,
    watchFault: undefined,
    get reads() {
      return reads;
    },
    get asked() {
      return asked;
    },
    unwatched,
    interrupt: () => listener?.interrupted(),
    async read(...args: Parameters<EventStore['read']>) {
      reads += 1;
      if (test.readFault) throw test.readFault;
      return store.read(...args);
    },
    async lastEventIds(taskIds) {
      asked += 1;
      return store.lastEventIds(taskIds);
    },
    tail(given) {
      listener = given;
      const tail = store.tail({
        interrupted: () => given.interrupted(),
        announced: (notice) => given.announced?.(notice),
        part: (...told) => {
          if (!test.losesPart()) given.part?.(...told);
        },
        committed: (...told) => {
          if (!test.loses(...told)) given.committed(...told);
        },
      });
      return {
        watch: (taskId) => (test.watchFault ? Promise.reject(test.watchFault) : tail.watch(taskId)),
        watchParts: (taskId) => tail.watchParts?.(taskId) ?? Promise.resolve(),
        unwatch: (taskId) => {
          unwatched.push(taskId);
          tail.unwatch(taskId);
        },
        announce: (notice) => tail.announce(notice),
        close: () => tail.close(),
      };
    },
  };
  return test;
}

export interface HubFixture {
  readonly store: TestStore;
  readonly clock: FakeClock;
  readonly hub: LiveHub;
}

export async function hubFixture(more: Partial<LiveHubDeps> = {}): Promise<HubFixture> {
  const store = await testStore();
  const clock = fakeClock();
  return { store, clock, hub: createLiveHub({ store, clock, chance: evenChance, ...more }) };
}

/** A viewer without a network: its pipe takes what it gets only when the test says so, or at once. */
export interface FakeViewer extends Viewer {
  readonly ids: string[];
  readonly gaps: Gap[];
  readonly writes: (readonly Entry[])[];
  readonly peakBytes: number;
  readonly heartbeats: number;
  readonly state: 'open' | 'ended' | 'cut';
  /** True: keeps what it gets. */
  blocked: boolean;
  /** Takes that many of the bytes that wait. */
  take(bytes?: number): void;
}

export function fakeViewer(
  clock: FakeClock,
  transport: ViewerTransport = 'ws',
  owner = 'ann',
  batches: Partial<BatchSizes> = {},
): FakeViewer {
  let pending = 0;
  let taken = 0;
  let peak = 0;
  let heartbeats = 0;
  let state: FakeViewer['state'] = 'open';
  let drained: (() => void) | undefined;
  const ids: string[] = [];
  const gaps: Gap[] = [];
  const writes: (readonly Entry[])[] = [];
  const viewer: FakeViewer = {
    transport,
    owner,
    batches: { ...batchDefaults, ...batches },
    ids,
    gaps,
    writes,
    blocked: false,
    get peakBytes() {
      return peak;
    },
    get heartbeats() {
      return heartbeats;
    },
    get state() {
      return state;
    },
    facts(entries) {
      writes.push(entries);
      for (const { eventId, bytes } of entries) {
        ids.push(eventId);
        pending += bytes.byteLength;
      }
      peak = Math.max(peak, pending);
      if (!viewer.blocked) viewer.take();
    },
    gap: (gap) => void gaps.push(gap),
    heartbeat: () => (heartbeats += 1) > 0,
    pendingBytes: () => pending,
    takenBytes: () => taken,
    onDrain(callback) {
      drained = callback;
      viewer.take(0);
    },
    take(bytes = pending) {
      taken += Math.min(bytes, pending);
      pending -= Math.min(bytes, pending);
      const callback = drained;
      if (pending > 0 || !callback) return;
      drained = undefined;
      clock.setTimeout(callback, 0);
    },
    end: () => void (state = 'ended'),
    cut: () => void (state = 'cut'),
    cutTask: () => void (state = 'cut'),
  };
  return viewer;
}

/** Lets everything happen that waits for no clock. */
export async function quiesce(): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) await new Promise(setImmediate);
}
