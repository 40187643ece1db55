import type { CancelTaskResponse, CreateTaskResponse, SubmitActionResponse } from '../../machines/wire/index.ts';
import { freshId } from '../clock.ts';
import type { ActRequest, Commands, StartRequest } from '../commands/commands.ts';
import { closed, TaskBridgeClientError } from '../errors.ts';
import { isPending, type OutboxCommand, type OutboxEntry, type OutboxRefusal, type OutboxResponse, type OutboxTarget } from './entry.ts';
import { commandsFor, createEntry, placed } from './new-entry.ts';
import { readOutboxOptions, type OutboxOptions, type OutboxSettings } from './options.ts';
import { createEntryActors } from './entry-actors.ts';
import { createOutboxActor, type OutboxActor } from './outbox-actor.ts';
import type { OutboxEvent } from './outbox.machine.ts';
import { createSender } from './sender.ts';
import { createOutboxRepository, dismissible, type OutboxRepository } from './outbox-repository.ts';

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
  const make = commandsFor(settings.store, settings.chance);
  const queue = new CommandQueue(client, settings);
  return {
    async start(request) {
      const command = make.start(request);
      return { ...(await queue.keep(command)), clientRequestId: command.request.clientRequestId };
    },
    act: async (target, request) => queue.keep(make.act(target, request)),
    cancel: async (target, reason) => queue.keep(make.cancel(target, reason)),
    settled: (id) => queue.settled(id),
    withdraw: (id) => queue.withdraw(id),
    dismiss: (id) => queue.dismiss(id),
    retry: () => queue.retry(),
    getSnapshot: () => queue.snapshot,
    subscribe: (listener) => queue.subscribe(listener),
    close: () => queue.close(),
  };
}

/** The commands that are kept of one user, the chart that sends them, and whoever subscribes. */
class CommandQueue {
  readonly #settings: OutboxSettings;
  readonly #repository: OutboxRepository;
  readonly #chart: OutboxActor;
  readonly #listeners = new Set<() => void>();
  /** What is under way, and is waited for when it closes. */
  readonly #turns = new Set<Promise<unknown>>();
  #snapshot: OutboxSnapshot | undefined;
  #isNotifying = false;

  constructor(client: Pick<Commands, 'start' | 'act' | 'cancel'>, settings: OutboxSettings) {
    this.#settings = settings;
    this.#repository = createOutboxRepository(settings, {
      onChange: () => {
        entryActors?.compare(this.#repository.entries);
        this.#changed();
        this.#tell({ type: this.#repository.entries.some(isPending) ? 'entries.pending' : 'entries.none' });
      },
      onMoved: (before, event) => entryActors?.feed(before, event),
    });
    const sender = createSender(client, this.#repository, settings);
    this.#chart = createOutboxActor(settings, this.#repository, sender, (turn) => void this.#underWay(turn));
    const entryActors = settings.inspect && createEntryActors(this.#chart);
    this.#chart.subscribe(() => this.#changed());
    this.#chart.start();
  }

  get snapshot(): OutboxSnapshot {
    return (this.#snapshot ??= this.#read());
  }

  subscribe(listener: () => void): () => void {
    // The same function may subscribe twice.
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  async keep<R extends OutboxResponse>(command: OutboxCommand): Promise<OutboxTicket<R>> {
    if (this.#isClosed) throw closed('outbox');
    const { chance, clock, limits } = this.#settings;
    const entry = createEntry(command, freshId(chance), clock.now());
    await this.#underWay(this.#repository.change((ours, stored) => placed(entry, ours, stored, limits)));
    const { id } = entry;
    // The server answers each kind of command in its own shape, which the client has looked at.
    return { id, settled: () => this.settled(id) as Promise<OutboxOutcome<R>> };
  }

  async settled(id: string): Promise<OutboxOutcome> {
    // What this tab knows may be older than the entry.
    await this.#repository.refresh().catch(() => undefined);
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const entry = this.#repository.entries.find((one) => one.id === id);
        if (entry && isPending(entry) && !this.#isClosed) return;
        this.#listeners.delete(look);
        if (!entry) resolve({ state: 'forgotten' });
        else if (isPending(entry)) reject(closed('outbox'));
        else resolve(outcomeOf(entry));
      };
      this.#listeners.add(look);
      look();
    });
  }

  async withdraw(id: string): Promise<boolean> {
    const refusal = { code: 'OUTBOX_WITHDRAWN', message: 'It was taken back.', details: {} };
    const isGone = (await this.#repository.move(id, { type: 'entry.withdrawn' }, { refusal })) !== undefined;
    if (isGone) this.retry();
    return isGone;
  }

  dismiss(id?: string): Promise<void> {
    return this.#repository.change((ours) => ({
      remove: dismissible(ours)
        .filter((entry) => id === undefined || entry.id === id)
        .map((entry) => entry.id),
    }));
  }

  retry(): void {
    this.#tell({ type: 'retry.asked' });
  }

  async close(): Promise<void> {
    this.#tell({ type: 'outbox.close' });
    this.#repository.close();
    await Promise.allSettled(this.#turns);
  }

  get #isClosed(): boolean {
    return this.#chart.getSnapshot().status !== 'active';
  }

  #tell(event: OutboxEvent): void {
    if (!this.#isClosed) this.#chart.send(event);
  }

  #underWay<T>(turn: Promise<T>): Promise<T> {
    this.#turns.add(turn);
    const forget = (): void => void this.#turns.delete(turn);
    turn.then(forget, forget);
    return turn;
  }

  #read(): OutboxSnapshot {
    const now = this.#chart.getSnapshot();
    const { entries } = this.#repository;
    const { error } = now.context;
    return {
      state: states.find((state) => now.hasTag(state)) ?? 'loading',
      pending: entries.filter(isPending).length,
      entries,
      ...(error instanceof TaskBridgeClientError && { error }),
    };
  }

  /** Listeners hear once of all that one turn brought. */
  #changed(): void {
    this.#snapshot = undefined;
    if (this.#isNotifying) return;
    this.#isNotifying = true;
    queueMicrotask(() => {
      this.#isNotifying = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }
}

const states = ['closed', 'loading', 'idle', 'offline', 'elsewhere', 'sending', 'resting'] as const satisfies readonly OutboxState[];

function outcomeOf({ state, response, refusal, wasSent }: OutboxEntry): OutboxOutcome {
  if (state === 'done' && response) return { state, response };
  const why = refusal ?? { code: 'OUTBOX_STORE_FAILED', message: 'The store does not say what became of it.', details: {} };
  return { state: state === 'expired' || state === 'withdrawn' ? state : 'refused', refusal: why, wasSent };
}
