import { eventId, type EventId } from '../../machines/wire/index.ts';
import { batchDefaults } from '../../server/live/batch-sizes.ts';
import { batchOf, type Batch } from '../../server/live/batch.ts';
import { startPosition } from '../../server/live/log-position.ts';
import { liveDefaults } from '../../server/live/options.ts';
import type { LiveStore } from '../../server/live/live-store.ts';
import { LogSubscription } from '../../server/live/subscription.ts';
import { Semaphore } from '../../server/live/semaphore.ts';
import type { Viewer } from '../../server/live/viewer.ts';
import { Topic } from '../../server/live/topic.ts';
import type { Entry, EventStore, Lanes, LogPage } from '../../server/ports/index.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { quiesce } from './hub-fixture.ts';

const MS = 1_800_000_000_000;
/** Room for four facts of `FACT_BYTES`. */
const FACT_BYTES = 1_000;
const TASK = 'a'.repeat(32);

interface Later<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

function later<T>(): Later<T> {
  let settleIt: Omit<Later<T>, 'promise'> | undefined;
  const promise = new Promise<T>((resolve, reject) => (settleIt = { resolve, reject }));
  return { promise, resolve: (value) => settleIt?.resolve(value), reject: (error) => settleIt?.reject(error) };
}

/** How a scene begins. */
export interface ViewerFixtureOptions {
  /** Whether the tail was open before the viewer came. */
  readonly open?: boolean;
  /** The turns of a shared connection; none where the viewer has a connection of its own. */
  readonly turns?: number;
  /** Failures of the store until a viewer is given up. */
  readonly triesMax?: number;
  /** Whether its client asked for parts. */
  readonly parts?: boolean;
}

/** One viewer, as real as it is, whose store, tail, connection and clock do only what a test says. */
export interface ViewerFixture {
  readonly subscription: LogSubscription;
  readonly clock: FakeClock;
  /** Everything that was done for the viewer, in order. */
  readonly done: string[];
  /** The viewer comes. */
  begin(): Promise<void>;
  /** Takes what was done since it was last asked, after all has come to rest. */
  happened(): Promise<string[]>;
  /** The tail is open, or cannot be opened. */
  openTail(error?: Error): Promise<void>;
  /** The page that was asked for comes: facts `from` to `to` of a log whose newest is `last`. */
  page(from: number, to: number, more?: { readonly last?: number; readonly ended?: boolean }): Promise<void>;
  /** The store has no such task. */
  gone(): Promise<void>;
  failRead(): Promise<void>;
  /** The tail tells of facts; `another` history has another time in its ids. */
  tell(from: number, to: number, more?: { readonly ended?: boolean; readonly another?: boolean }): void;
  /** The tail tells of bytes of a part that the viewer has not heard of. */
  tellPart(): void;
  /** The store is found to have this fact as the newest. */
  repair(newest: number): void;
  /** The connection has taken all that it was given. */
  drain(): void;
  /** All turns of the connection are taken, until the function is called. */
  holdTurns(): Promise<() => void>;
  /** Whether somebody may read on the connection now. */
  hasTurn(): Promise<boolean>;
  /** That many bytes of others wait on the connection. */
  pending: number;
  /** Called while facts are shown. */
  onFacts: () => void;
  /** Called when the end of what was given is waited for. */
  onDrainAsked: () => void;
}

export function viewerFixture({ open = true, turns: most, triesMax = 5, parts = false }: ViewerFixtureOptions = {}): ViewerFixture {
  const done: string[] = [];
  const clock = fakeClock();
  const turns = most === undefined ? undefined : new Semaphore(most);
  const tail = later<void>();
  if (open) tail.resolve();
  const reads: Later<LogPage | undefined>[] = [];
  let drained: (() => void) | undefined;
  const fixture = { pending: 0, onFacts: () => undefined as void, onDrainAsked: () => undefined as void };

  const store: Pick<EventStore, 'read'> = {
    read() {
      done.push('reads');
      const read = later<LogPage | undefined>();
      reads.push(read);
      return read.promise;
    },
  };
  const lanes: Pick<Lanes, 'newest'> = { newest: () => Promise.resolve([{ eventId: null, lanes: [] }]) };
  const watch = new Topic({
    taskId: TASK,
    tail: { watch: () => tail.promise, unwatch: () => undefined, announce: () => Promise.resolve(), close: () => Promise.resolve() },
    logger: undefined,
    onDeserted: () => done.push('leaves the log'),
  });
  const viewer: Viewer = {
    transport: 'ws',
    owner: 'ann',
    batches: batchDefaults,
    sharing: turns && { viewers: 1, reads: turns },
    facts(entries) {
      done.push(`shows ${entries.map((entry) => entry.eventId.split('-')[0]).join()}`);
      fixture.onFacts();
    },
    parts: () => done.push('shows a part'),
    gap: ({ reason }) => done.push(`tells a ${reason}`),
    heartbeat: () => done.push('beats') > 0,
    pendingBytes: () => fixture.pending,
    takenBytes: () => 0,
    onDrain(callback) {
      done.push('waits for drain');
      drained = callback;
      fixture.onDrainAsked();
    },
    end: () => done.push('ends'),
    cut: () => done.push('cuts'),
    cutTask: () => done.push('loses'),
  };
  const subscription = new LogSubscription(
    {
      // Nothing else of a store is asked.
      store: { ...store, ...(parts && { lanes }) } as LiveStore,
      clock,
      options: { ...liveDefaults, viewerBytesMax: 4 * FACT_BYTES, storeTriesMax: triesMax },
      logger: { warn: () => done.push('warns'), error: (text) => done.push(`error: ${text}`) },
      diagnostics: undefined,
      records: () => undefined,
      onClosed: () => done.push('is counted no more'),
    },
    { topic: watch, viewer, cursor: startPosition, cutAt: undefined, ...(parts && { parts: new Map() }) },
  );
  const answer = async (how: (read: Later<LogPage | undefined>) => void): Promise<void> => {
    const read = reads.shift();
    if (!read) throw new Error('Nothing reads.');
    how(read);
    await quiesce();
  };

  return Object.assign(fixture, {
    subscription,
    clock,
    done,
    tellPart: () =>
      subscription.takePart({ lane: eventId(1, MS), epoch: { mark: 'e', was: null, from: 0 }, at: 0, bytes: Buffer.from('text') }),
    async begin() {
      if (parts) watch.wantParts();
      if (open) await watch.open();
      subscription.start();
      await quiesce();
    },
    async happened() {
      await quiesce();
      return done.splice(0);
    },
    async openTail(error?: Error) {
      if (error) tail.reject(error);
      else tail.resolve();
      await quiesce();
    },
    page: (from: number, to: number, { last = to, ended = false } = {}) =>
      answer((read) =>
        read.resolve({ entries: facts(from, to), firstEventId: eventId(1, MS + 1), lastEventId: last === 0 ? null : idOf(last), ended }),
      ),
    gone: () => answer((read) => read.resolve(undefined)),
    failRead: () => answer((read) => read.reject(new Error('down'))),
    tell: (from: number, to: number, { ended = false, another = false } = {}) => subscription.take(told(from, to, ended, another ? 7 : 0)),
    repair(newest: number) {
      subscription.mark();
      subscription.compare(idOf(newest));
    },
    drain: () => drained?.(),
    async holdTurns() {
      const ends = turns ? await Promise.all(Array.from({ length: turns.most }, () => turns.take())) : [];
      return () => ends.forEach((end) => end());
    },
    async hasTurn() {
      let isGiven = false;
      void turns?.take().then((end) => {
        isGiven = true;
        end();
      });
      await quiesce();
      return isGiven;
    },
  });
}

const idOf = (n: number, shift = 0): EventId => eventId(n, MS + n + shift);

function facts(from: number, to: number, shift = 0): Entry[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => ({
    eventId: idOf(from + index, shift),
    bytes: new Uint8Array(FACT_BYTES),
  }));
}

function told(from: number, to: number, ended: boolean, shift: number): Batch {
  const batch = batchOf(facts(from, to, shift), ended, from === 1 ? null : idOf(from - 1, shift));
  if (!batch) throw new Error(`Facts ${from} to ${to} are none.`);
  return batch;
}
