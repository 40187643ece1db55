import type { EventFrom, OutputFrom } from 'xstate';
import type { connectionMachine } from '../../machines/index.ts';
import { compareEventIds, isTerminalType, type Fact, type Gap, type TransportName, type UnknownFact } from '../../machines/wire/index.ts';
import type { CallContext } from '../auth/credentials.ts';
import { tellRaw, type TransportListener, type TransportMoment } from '../listener.ts';
import type { ClientReport } from '../report.ts';
import { createDeliveryCursor, type DeliveryCursor } from './delivery-cursor.ts';
import { readFrame } from './frame.ts';
import type { PartRecord } from './part-port.ts';

/** What the chart of a connection is told. */
export type DecodedEvent = EventFrom<typeof connectionMachine>;
/** How a connection ended. */
export type DecodedEnding = OutputFrom<typeof connectionMachine>;

/** What the decoder hands on. */
export interface FrameDecoderTarget {
  readonly taskId: string;
  readonly context: CallContext | undefined;
  readonly listener: Partial<TransportListener>;
  readonly parts: PartRecord | undefined;
  deliver(fact: Fact | UnknownFact, bytes: number): void;
  /** Nothing can follow what was delivered. */
  ended(): void;
  gap(gap: Gap): void;
  /** The server says that nothing follows for now: what was delivered is the log as it stands. */
  quiet(): void;
  /** What came is a frame of the protocol. */
  spoke(): void;
  report(report: ClientReport): void;
}

/** One connection, as the decoder sees it. It is dead to the decoder once it was closed. */
export interface ConnectionInput {
  readonly transport: TransportName;
  /** The cursor that it began with; null for the start. */
  readonly begunAfter: string | null;
  /** How far the facts of all connections have come. */
  readonly cursor: string | null;
  readonly isClosed: boolean;
  /** How far parts have come, as a server takes it; undefined where it is asked for none. */
  readonly parts: string | undefined;
  /** How many facts, and frames of parts with something new, came this way. */
  readonly delivered: number;
  /** The server took it. `extensions` is what it granted. */
  confirmed(extensions?: unknown): void;
  /**
   * The text of one frame, or of the data of one event; undefined for a binary frame. `isUnnumbered` where it came as an event without an id.
   */
  frame(text: string | undefined, isUnnumbered?: boolean): void;
  /** Text came that is not one frame: told, and nothing else. */
  raw(text: string): void;
  /** One parsed frame or event of a page, and its size. */
  value(value: unknown, bytes: number): void;
  gap(gap: Gap): void;
  /** A sign of life that carries nothing. */
  alive(): void;
  /** Tells the chart what came since the last time. Called at the end of each chunk. */
  flush(): void;
  /** The connection has ended; `ending` says how, where it was not simply lost. */
  lost(reason: string, ending?: DecodedEnding): void;
  close(): void;
}

/** Turns frames into facts: each once, in order, from however many connections. */
export interface FrameDecoder {
  readonly cursor: string | null;
  readonly isDense: boolean;
  open(transport: TransportName, tell: (event: DecodedEvent) => void): ConnectionInput;
  /** Believes a page that it reaches this far. */
  advance(cursor: string): void;
  /** Believes a page that nothing can follow. */
  end(): void;
  /** What is opened next is asked for the log from its start. */
  restart(): void;
}

/** Begins after `start`; null for the start. */
export function createFrameDecoder(target: FrameDecoderTarget, start: string | null): FrameDecoder {
  const cursor = createDeliveryCursor(start);
  return {
    get cursor() {
      return cursor.value;
    },
    get isDense() {
      return cursor.isDense;
    },
    open: (transport, tell) => new DecodedConnection(transport, cursor, target, tell),
    advance(id) {
      if (cursor.value === null || (compareEventIds(id, cursor.value) ?? -1) > 0) cursor.move(id);
    },
    end: () => target.ended(),
    restart: () => cursor.restart(),
  };
}

class DecodedConnection implements ConnectionInput {
  readonly transport: TransportName;
  readonly begunAfter: string | null;
  isClosed = false;
  delivered = 0;
  readonly #cursor: DeliveryCursor;
  readonly #target: FrameDecoderTarget;
  readonly #tell: (event: DecodedEvent) => void;
  /** What every hook is given. */
  readonly #moment: TransportMoment;
  /** Came since the chart was last told. */
  readonly #came = { facts: false, life: false, malformed: false };
  #isLevel = false;
  #wasQuiet = false;
  #isConfirmed = false;

  constructor(transport: TransportName, cursor: DeliveryCursor, target: FrameDecoderTarget, tell: (event: DecodedEvent) => void) {
    this.transport = transport;
    this.begunAfter = cursor.value;
    this.#cursor = cursor;
    this.#target = target;
    this.#tell = tell;
    this.#moment = { taskId: target.taskId, context: target.context };
  }

  get cursor(): string | null {
    return this.#cursor.value;
  }

  get parts(): string | undefined {
    return this.#target.parts?.cursors;
  }

  confirmed(extensions?: unknown): void {
    if (this.isClosed) return;
    if (Array.isArray(extensions)) this.#cursor.markDense();
    this.#isConfirmed = true;
    this.#tellOfStream('confirmed');
    if (this.begunAfter === this.#cursor.value) this.#reachLevel();
  }

  frame(text: string | undefined, isUnnumbered?: boolean): void {
    if (this.isClosed) return;
    if (text === undefined) return this.#skip('a binary frame');
    this.raw(text);
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      return this.#skip('no JSON', text);
    }
    this.value(parsed, text.length, text, isUnnumbered);
  }

  raw(text: string): void {
    tellRaw(this.#target.listener, this.#moment, this.transport, text);
  }

  value(parsed: unknown, bytes: number, text?: string, isUnnumbered?: boolean): void {
    if (this.isClosed) return;
    const frame = readFrame(parsed, this.#moment.taskId, isUnnumbered);
    if (frame.kind !== 'malformed') this.#target.spoke();
    if (frame.kind === 'fact') this.#take(frame.fact, bytes);
    else if (frame.kind === 'confirmed') this.confirmed(frame.extensions);
    else if (frame.kind === 'gap') this.gap(frame.gap);
    else if (frame.kind === 'malformed') this.#skip(frame.reason, text ?? JSON.stringify(parsed));
    else {
      const outcome = this.#target.parts?.frame(parsed as object, this);
      if (outcome === 'torn') return this.lost('a hole in a part');
      if (outcome === 'news') {
        this.#came.facts = true;
        this.delivered += 1;
      }
      this.#came.life = true;
      if (Array.isArray(frame.extensions)) this.#cursor.markDense();
      if (!frame.isHeartbeat) return;
      // A stream begins with one, before its history.
      if (this.#wasQuiet || this.transport === 'ws') this.#target.quiet();
      this.#wasQuiet = true;
    }
  }

  gap(gap: Gap): void {
    if (this.isClosed) return;
    const { transport } = this;
    const { listener, report } = this.#target;
    this.#cursor.open(gap);
    this.#target.gap(gap);
    report({ type: 'gap', ...this.#moment, transport, ...gap });
    listener.onGap?.({ ...this.#moment, source: transport, ...gap });
  }

  alive(): void {
    // Bytes that nothing can be told from are no sign of life: three in a row would never be.
    if (!this.#came.malformed) this.#came.life = true;
  }

  flush(): void {
    if (this.isClosed) return;
    const came = this.#came;
    // A page holds all that there is to tell.
    if (this.transport === 'poll' && this.#isConfirmed) this.#target.quiet();
    if (came.facts) this.#tell({ type: 'wire.facts' });
    else if (came.life) this.#tellOfStream('alive');
    came.facts = came.life = came.malformed = false;
  }

  lost(reason: string, ending: DecodedEnding = { kind: 'lost' }): void {
    this.flush();
    if (this.isClosed) return;
    this.isClosed = true;
    const { transport } = this;
    const { listener, report, parts } = this.#target;
    if (!this.#isConfirmed && parts?.doubts(ending)) ending = { kind: 'lost' };
    report({ type: 'lost', ...this.#moment, transport, reason });
    if (!this.#isConfirmed && transport === 'ws') listener.onWsSetupFailed?.({ ...this.#moment, reason });
    if (!this.#isConfirmed && transport === 'sse') listener.onSseSetupFailed?.({ ...this.#moment, reason });
    this.#tell({ type: 'wire.ended', ending });
  }

  close(): void {
    this.isClosed = true;
  }

  /** A poll is never level, alive or confirmed: each of its pages ends. */
  #tellOfStream(what: 'confirmed' | 'level' | 'alive'): void {
    if (this.transport !== 'poll') this.#tell({ type: `wire.${what}` });
  }

  #reachLevel(): void {
    if (!this.#isLevel) this.#tellOfStream('level');
    this.#isLevel = true;
  }

  #skip(reason: string, text?: string): void {
    const { transport } = this;
    const { listener, report } = this.#target;
    report({ type: 'malformed', ...this.#moment, transport, reason });
    listener.onMalformedWirePayload?.({ ...this.#moment, source: transport, reason, text });
    this.flush();
    this.#came.malformed = true;
    this.#tell({ type: 'wire.malformed' });
  }

  #take(fact: UnknownFact, bytes: number): void {
    const { eventId, type } = fact;
    const cursor = this.#cursor;
    const target = this.#target;
    if (!cursor.isNew(eventId)) {
      this.#came.life = true;
      if (eventId === cursor.value) this.#reachLevel();
      return;
    }
    const lack = cursor.lacks(eventId);
    if (lack === 'hole') return this.lost(`hole before ${eventId}`);
    if (lack === 'beginning') this.gap({ reason: 'trimmed', firstEventId: eventId });
    this.#reachLevel();
    cursor.move(eventId);
    this.#came.facts = true;
    this.delivered += 1;
    target.deliver(fact, bytes);
    if (this.transport === 'sse') target.listener.onSseEvent?.({ ...this.#moment, fact });
    else if (this.transport === 'poll') target.listener.onPollEvent?.({ ...this.#moment, fact });
    if (!isTerminalType(type)) return;
    this.flush();
    // Not by this connection, which a full consumer may just have closed.
    target.ended();
  }
}
