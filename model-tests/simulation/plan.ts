import type { PartOptions } from '../../adapters/in-process/index.ts';
import type { TransportName } from '../../machines/wire/index.ts';

/** When the last decision falls due, in milliseconds since the beginning; afterwards nothing goes wrong any more. */
export const TROUBLE_MS = 20_000;

/** One step of a task's work. */
export type WorkStep =
  /** Reports in the same breath as it saves: exactly once, whatever happens. */
  | { readonly say: 'kept' }
  /** Reports without saving: once for each attempt. */
  | { readonly say: 'loose' }
  | { readonly progress: number }
  | { readonly rest: number }
  | { readonly ask: { readonly expiresInMs?: number } }
  /** Two questions at once. */
  | { readonly askBoth: true }
  /** Nothing else happens on its node for so long. */
  | { readonly block: number }
  /** Ends its node, in each of the first so many attempts; after a question that it does not await. */
  | { readonly crash: number; readonly asks?: boolean }
  | { readonly stream: StreamStep }
  | { readonly value: ValueStep }
  | { readonly fail: string };

/** How a part is written. */
export interface StreamStep extends Pick<PartOptions, 'kind' | 'onRerun' | 'closeAs'> {
  readonly pieces: number;
  /** Characters of a piece, beside what tells it from all others. */
  readonly size: number;
  /** After each piece, in milliseconds. */
  readonly restMs: number;
  /** What the task does next waits for the last piece. */
  readonly isAwaited: boolean;
  /** Else it is open when the work ends. */
  readonly ends: boolean;
}

/** How a value is written that is replaced. */
export interface ValueStep extends Pick<StreamStep, 'onRerun' | 'restMs' | 'isAwaited' | 'ends'> {
  readonly values: number;
  /** Characters of each, beside what tells it from all others. */
  readonly size: number;
}

/** What a task does. */
export interface WorkPlan {
  readonly steps: readonly WorkStep[];
  /** May it be run again after its node died? */
  readonly repeatable: boolean;
}

/** Where a fault may strike: counted over the whole world, the nth time that somebody comes by. */
export type FaultPoint =
  | 'append'
  | 'create'
  | 'load'
  | 'kept'
  | 'read'
  | 'take'
  | 'renew'
  | 'leases'
  | 'held'
  | 'owners'
  | 'now'
  | 'lastEventIds'
  | 'watch'
  | 'tail'
  | 'executor.start'
  | 'executor.resume'
  | 'executor.cancel'
  | 'request'
  | 'stream'
  | 'chunk'
  | 'checkpoint.read'
  | 'checkpoint.write'
  | 'checkpoint.remove'
  | 'provider'
  | 'refresh'
  | 'shelf.read'
  | 'shelf.change'
  | 'flush'
  | 'seal'
  | 'readPart'
  | 'newest'
  | 'tail.part';

/** What goes wrong there. Each point knows some of them. */
export type FaultKind =
  // At a store, an executor or a checkpoint: before it did anything, after it did all, much later, never with an answer, or with the death or sleep of who asked.
  | 'before'
  | 'after'
  | 'slow'
  | 'conflict'
  | 'crash before'
  | 'crash after'
  // Of bytes on their way: the node is gone, and they arrive all the same, much later.
  | 'crash late'
  | 'die before'
  | 'die after'
  | 'freeze'
  // Of a message of the tail, a request, a connection.
  | 'lost'
  | 'late'
  | 'reply lost'
  | 'silence'
  | 'repeated'
  | 'refused'
  | 'missing'
  | 'mute'
  | 'buffered'
  | 'cut'
  | 'half-open'
  | 'stalled'
  | 'closed'
  | 'torn';

/** How somebody who iterates over facts behaves. */
export interface Habit {
  /** Rest after each fact, in milliseconds. */
  readonly slowMs: number;
  /** Leaves the loop after that many facts, and observes again. */
  readonly leavesAfter?: number;
  /** Follows snapshots too, or only. */
  readonly watches: 'facts' | 'snapshots' | 'both';
}

/** How somebody behaves who is shown the parts of a task. */
export interface PartHabit {
  /** Rest before each frame is taken, in milliseconds. */
  readonly slowMs: number;
  /** Is gone without a word that long after it came, each time, and comes back later. */
  readonly leavesAfterMs?: number;
  readonly awayMs: number;
  /** Takes nothing any more after so many frames, each time. */
  readonly stallsAfter?: number;
}

/** One decision about a history. Each can be left out, and the rest still makes sense. Times are milliseconds since the beginning. */
export type Decision =
  | { readonly kind: 'fault'; readonly on: FaultPoint; readonly nth: number; readonly what: FaultKind }
  | { readonly kind: 'start'; readonly at: number; readonly client: number; readonly task: number; readonly work: WorkPlan }
  | { readonly kind: 'observe'; readonly at: number; readonly client: number; readonly task: number; readonly habit: Habit }
  | { readonly kind: 'answer'; readonly question: number; readonly client: number; readonly afterMs: number; readonly as: AnswerKind }
  | { readonly kind: 'cancel'; readonly at: number; readonly client: number; readonly task: number; readonly reason?: string }
  /** Somebody else asks after a task that is not theirs. */
  | { readonly kind: 'stranger'; readonly at: number; readonly client: number; readonly task: number }
  | { readonly kind: 'client dies'; readonly at: number; readonly client: number; readonly backMs: number }
  | { readonly kind: 'client closes'; readonly at: number; readonly client: number; readonly backMs: number }
  | { readonly kind: 'client freezes'; readonly at: number; readonly client: number; readonly ms: number }
  | { readonly kind: 'offline'; readonly at: number; readonly client: number; readonly ms: number }
  | { readonly kind: 'client clock'; readonly at: number; readonly client: number; readonly byMs: number }
  | { readonly kind: 'blocked'; readonly at: number; readonly client: number; readonly ms: number; readonly transport: TransportName }
  /** Somebody between this client and the nodes answers everything himself, and cuts what is open. */
  | { readonly kind: 'proxy speaks'; readonly at: number; readonly client: number; readonly ms: number; readonly status: number }
  /** Nothing happens to the client for a while, and its connections die without a word; it hears when that is over. */
  | { readonly kind: 'page freezes'; readonly at: number; readonly client: number; readonly ms: number }
  /** By outbox: the same as `start`, `answer` and `cancel`, and what else is done to one. */
  | { readonly kind: 'keep start'; readonly at: number; readonly client: number; readonly task: number; readonly work: WorkPlan }
  | {
      readonly kind: 'keep answer';
      readonly question: number;
      readonly client: number;
      readonly afterMs: number;
      readonly isAllowed: boolean;
    }
  | { readonly kind: 'keep cancel'; readonly at: number; readonly client: number; readonly task: number }
  | { readonly kind: 'withdraw' | 'dismiss'; readonly at: number; readonly client: number }
  | { readonly kind: 'tokens end'; readonly at: number }
  | { readonly kind: 'crash'; readonly at: number; readonly node: number; readonly backMs: number; readonly silent: boolean }
  | { readonly kind: 'close'; readonly at: number; readonly node: number; readonly backMs: number; readonly drainMs: number }
  | { readonly kind: 'freeze'; readonly at: number; readonly node: number; readonly ms: number }
  | { readonly kind: 'clock'; readonly at: number; readonly node: number; readonly byMs: number }
  | { readonly kind: 'store away'; readonly at: number; readonly node: number; readonly ms: number }
  /** No node reaches it. */
  | { readonly kind: 'store gone'; readonly at: number; readonly ms: number }
  | { readonly kind: 'store clock'; readonly at: number; readonly byMs: number }
  | { readonly kind: 'tail away'; readonly at: number; readonly node: number; readonly ms: number }
  /** The store loses the newest commits of a task, and is away for that long. */
  | { readonly kind: 'restore'; readonly at: number; readonly task: number; readonly commits: number; readonly ms: number }
  | { readonly kind: 'watch parts'; readonly at: number; readonly task: number; readonly habit: PartHabit }
  /** The store loses the newest bytes of a task's open parts, so many flushes but no commit, and is away for that long. */
  | { readonly kind: 'lose bytes'; readonly at: number; readonly task: number; readonly flushes: number; readonly ms: number }
  | { readonly kind: 'actor'; readonly at: number; readonly node: number; readonly task: number };

/** True for what makes a task, by whatever way. */
export function isStart(decision: Decision): decision is Extract<Decision, { kind: 'start' | 'keep start' }> {
  return decision.kind === 'start' || decision.kind === 'keep start';
}

/** Which answer a person gives: a sound one, the same one twice at once, two different ones under one id, one of a type that is not allowed. */
export type AnswerKind = 'plain' | 'doubled' | 'contradicted' | 'forbidden';

/** Of whom a client's machine is made. */
export interface ClientPlan {
  readonly transports: readonly TransportName[];
  /** False in browsers. */
  readonly sendsHeaders: boolean;
  readonly clockOffMs: number;
  readonly hideAnswered: boolean;
  /** All tasks over one socket. */
  readonly sharesSocket: boolean;
  /** Takes no parts without. */
  readonly parts?: ClientPartsPlan;
}

/** How a client takes parts. */
export interface ClientPartsPlan {
  /** Of what a checkpoint keeps. */
  readonly storedBytesMax: number;
  readonly storeMs: number;
  /** Whoever follows snapshots reads each part in pieces, too. */
  readonly reads: boolean;
}

/** Tokens that end by themselves. */
export interface TokensPlan {
  readonly lifeMs: number;
  /** The provider says when they end, so that they can be renewed before. */
  readonly clientKnows: boolean;
  /** The nodes know when they end, and cut streams then. */
  readonly serverKnows: boolean;
  /** The provider gives a new one for an old one by itself. */
  readonly looksAtClock: boolean;
  /** The end is a date of the world, as a server says it, and not of the client's own clock. */
  readonly endsByWorld?: boolean;
}

/** Who keeps commands in outboxes, and where. */
export interface OutboxPlan {
  /** The shelf of each client; those with the same one are processes of one person on one machine. */
  readonly shelves: readonly number[];
  /** False on platforms where processes cannot take turns. */
  readonly locks: boolean;
  readonly ageMsMax: number;
}

/** How much fits where in this history: small sizes make the rare paths common. */
export interface Sizes {
  readonly retainedFactsMax: number;
  readonly hotTasksMax: number;
  readonly appendFactsMax: number;
  readonly viewerBytesMax: number;
  readonly pageFactsMax: number;
  readonly pollBytesMax: number;
  readonly pollEventsMax: number;
  readonly undeliveredMax: number;
}

/** All that is decided about one history before it begins; the seed decides the rest (delays, ids, jitter). */
export interface Plan {
  readonly seed: number;
  /** How far each node's clock is off, in milliseconds: as many nodes as numbers. */
  readonly nodes: readonly number[];
  /** True for a store that one process owns; then there is one node. */
  readonly exclusive: boolean;
  readonly sizes: Sizes;
  /** Bytes of a fact, at most; what a text needs more stays beside the log. */
  readonly factBytesMax?: number;
  /** How many handlers each node runs at once; many without. */
  readonly slots?: number;
  /** Work that is interrupted by a crash runs again within so long, in milliseconds after its node is known to be gone; nothing is expected without. */
  readonly runsAgainWithinMs?: number;
  /** Goes on until all tasks were removed, their time after the end being over. */
  readonly removes?: boolean;
  readonly clients: readonly ClientPlan[];
  /** Tokens are good until it is decided that all end, without. */
  readonly tokens?: TokensPlan;
  /** All clients are tabs of one browser, and share the connection of one of them. */
  readonly tabs?: boolean;
  /** Nobody has an outbox without. */
  readonly outbox?: OutboxPlan;
  readonly decisions: readonly Decision[];
}
