import type { CancelTaskResponse, CreateTaskResponse, SubmitActionResponse } from '../../machines/index.ts';
import { freshId } from '../clock.ts';
import type { ActRequest, Commands, StartRequest } from '../commands/commands.ts';
import { TaskBridgeClientError } from '../errors.ts';
import { isPending, type OutboxCommand, type OutboxEntry, type OutboxRefusal, type OutboxResponse, type OutboxTarget } from './entry.ts';
import { commandsFor, createEntry, placed } from './new-entry.ts';
import { readOutboxOptions, type OutboxOptions } from './options.ts';
import { createOutboxActor } from './outbox-actor.ts';
import type { OutboxEvent } from './outbox.machine.ts';
import { createSender } from './sender.ts';
import { createShelf, dismissible } from './shelf.ts';

/** What an outbox does. `elsewhere`: another tab sends. `offline`: the gate is closed. `resting`: a passing failure, or the store failed. */
export type OutboxState = 'loading' | 'idle' | 'offline' | 'elsewhere' | 'sending' | 'resting' | 'closed';

/** One outbox at one moment. */
export interface OutboxSnapshot {
  readonly state: OutboxState;
  /** Commands that still have to go out. */
  readonly pending: number;
  /** What waits, and what became of the others until they are dismissed; in the order of sending. */
  readonly entries: readonly OutboxEntry[];
  /** Why it rests. */
  readonly error?: TaskBridgeClientError;
}

/** What became of a command. `forgotten`: it was dismissed, or made room for newer ones, before this tab saw what became of it. */
export type OutboxOutcome<R = OutboxResponse> =
  | { readonly state: 'done'; readonly response: R }
  | { readonly state: 'refused' | 'expired' | 'withdrawn'; readonly refusal: OutboxRefusal; readonly wasSent: boolean }
  | { readonly state: 'forgotten' };

/** A command that is kept. */
export interface OutboxTicket<R> {
  /** Of its entry. */
  readonly id: string;
  /** Resolves once there is an outcome; rejects with code `CLOSED` when the outbox is closed first. */
  settled(): Promise<OutboxOutcome<R>>;
}

/** A queue of commands that outlives the page. */
export interface Outbox {
  /**
   * Keeps a start and resolves when it is kept. Attachments must be bytes or blobs. Rejects with code `OUTBOX_FULL` above a limit,
   * `OUTBOX_STORE_FAILED` where the store cannot keep it, `INVALID_ARGUMENT` for what cannot be kept, `CLOSED` after `close()`.
   */
  start(request: StartRequest): Promise<OutboxTicket<CreateTaskResponse> & { readonly clientRequestId: string }>;
  /** Keeps an answer. A task whose start is in this outbox is named by its `clientRequestId`. Rejects like {@link Outbox.start}. */
  act(target: OutboxTarget, request: ActRequest): Promise<OutboxTicket<SubmitActionResponse>>;
  /** Keeps a wish to cancel. Rejects like {@link Outbox.start}. */
  cancel(target: OutboxTarget, reason?: string): Promise<OutboxTicket<CancelTaskResponse>>;
  /** What became of an entry, whoever made it; also after a reload. */
  settled(id: string): Promise<OutboxOutcome>;
  /** Takes a command back; false where it is settled. `wasSent` of the entry says whether the server may have it all the same. */
  withdraw(id: string): Promise<boolean>;
  /** Removes what became of one command, or of all. What a waiting command still refers to stays. */
  dismiss(id?: string): Promise<void>;
  /** Ends a rest: sends again at once. */
  retry(): void;
  /** The same object until something changed. */
  getSnapshot(): OutboxSnapshot;
  /** Calls back after `getSnapshot()` has changed; returns what ends that. */
  subscribe(listener: () => void): () => void;
  /** Frees timers, locks and channels; resolves when nothing is under way. What is kept stays kept. Close it before its client. */
  close(): Promise<void>;
}

/**
 * Keeps commands until the server has answered them: they survive a reload, go out in order, one at a time and from one tab at a time, and are
 * taken once, since each keeps its id (`clientRequestId`, `clientActionId`; a cancel is harmless by nature). Throws with code
 * `INVALID_ARGUMENT` where an option cannot be right.
 */
export function createOutbox(client: Pick<Commands, 'start' | 'act' | 'cancel'>, options: OutboxOptions): Outbox {
  const settings = readOutboxOptions(options);
  const { store, clock, chance, limits } = settings;
  const listeners = new Set<() => void>();
  const turns = new Set<Promise<unknown>>();
  let snapshot: OutboxSnapshot | undefined;
  let isNotifying = false;

  const shelf = createShelf(settings, () => {
    changed();
    tell({ type: shelf.entries.some(isPending) ? 'entries.pending' : 'entries.none' });
  });
  const sender = createSender(client, shelf, settings);
  const make = commandsFor(store, chance);
  const chart = createOutboxActor(settings, shelf, sender, (turn) => void underWay(turn));
  chart.subscribe(changed);
  chart.start();

  return {
    async start(request) {
      const command = make.start(request);
      const id = await keep(command);
      return { id, clientRequestId: idOf(command), settled: settledAs<CreateTaskResponse>(id) };
    },
    async act(target, request) {
      const id = await keep(make.act(target, request));
      return { id, settled: settledAs<SubmitActionResponse>(id) };
    },
    async cancel(target, reason) {
      const id = await keep(make.cancel(target, reason));
      return { id, settled: settledAs<CancelTaskResponse>(id) };
    },
    settled,
    async withdraw(id) {
      const refusal = { code: 'OUTBOX_WITHDRAWN', message: 'It was taken back.', details: {} };
      const isGone = (await shelf.move(id, { type: 'entry.withdrawn' }, { refusal })) !== undefined;
      if (isGone) tell({ type: 'retry.asked' });
      return isGone;
    },
    dismiss: (id) =>
      shelf.change((ours) => ({
        remove: dismissible(ours)
          .filter((entry) => id === undefined || entry.id === id)
          .map((entry) => entry.id),
      })),
    retry: () => tell({ type: 'retry.asked' }),
    getSnapshot: () => (snapshot ??= read()),
    subscribe(listener) {
      const heard = (): void => listener();
      listeners.add(heard);
      return () => void listeners.delete(heard);
    },
    async close() {
      tell({ type: 'outbox.close' });
      shelf.close();
      await Promise.allSettled(turns);
    },
  };

  async function keep(command: OutboxCommand): Promise<string> {
    if (isClosed()) throw closed();
    const entry = createEntry(command, freshId(chance), clock.now());
    await underWay(shelf.change((ours, stored) => placed(entry, ours, stored, limits)));
    return entry.id;
  }

  function settledAs<R extends OutboxResponse>(id: string): () => Promise<OutboxOutcome<R>> {
    // The server answers each kind of command in its own shape, which the client has looked at.
    return () => settled(id) as Promise<OutboxOutcome<R>>;
  }

  async function settled(id: string): Promise<OutboxOutcome> {
    // What this tab knows may be older than the entry.
    await shelf.refresh().catch(() => undefined);
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const entry = shelf.entries.find((one) => one.id === id);
        if (entry && isPending(entry) && !isClosed()) return;
        listeners.delete(look);
        if (!entry) resolve({ state: 'forgotten' });
        else if (isPending(entry)) reject(closed());
        else resolve(outcomeOf(entry));
      };
      listeners.add(look);
      look();
    });
  }

  function tell(event: OutboxEvent): void {
    if (!isClosed()) chart.send(event);
  }

  function isClosed(): boolean {
    return chart.getSnapshot().status !== 'active';
  }

  function underWay<T>(turn: Promise<T>): Promise<T> {
    turns.add(turn);
    const forget = (): void => void turns.delete(turn);
    turn.then(forget, forget);
    return turn;
  }

  function read(): OutboxSnapshot {
    const now = chart.getSnapshot();
    const { error } = now.context;
    return {
      state: states.find((state) => now.hasTag(state)) ?? 'loading',
      pending: shelf.entries.filter(isPending).length,
      entries: shelf.entries,
      ...(error instanceof TaskBridgeClientError && { error }),
    };
  }

  /** Listeners hear once of all that one turn brought. */
  function changed(): void {
    snapshot = undefined;
    if (isNotifying) return;
    isNotifying = true;
    queueMicrotask(() => {
      isNotifying = false;
      for (const listener of [...listeners]) listener();
    });
  }
}

const states = ['closed', 'loading', 'idle', 'offline', 'elsewhere', 'sending', 'resting'] as const satisfies readonly OutboxState[];

function idOf(command: OutboxCommand): string {
  return command.type === 'start' ? command.request.clientRequestId : '';
}

function outcomeOf({ state, response, refusal, wasSent }: OutboxEntry): OutboxOutcome {
  if (state === 'done' && response) return { state, response };
  const why = refusal ?? { code: 'OUTBOX_STORE_FAILED', message: 'The store does not say what became of it.', details: {} };
  return { state: state === 'expired' || state === 'withdrawn' ? state : 'refused', refusal: why, wasSent };
}

function closed(): TaskBridgeClientError {
  return new TaskBridgeClientError('CLOSED', 'The outbox is closed; what it keeps stays kept. Make a new one to go on.');
}
