import type { TransportEvent } from '../../machines/index.ts';
import { type TransportName, compareEventIds, isTerminalType, type Fact, type Gap, type UnknownFact } from '../../machines/wire/index.ts';
import type { CallContext } from '../auth/credentials.ts';
import { tellRaw, type TransportListener } from '../listener.ts';
import type { ClientReport } from '../report.ts';
import { createDeliveryCursor, type DeliveryCursor } from './delivery-cursor.ts';
import { readFrame } from './frame.ts';

/** What the decoder hands on. */
export interface FrameDecoderTarget {
  readonly taskId: string;
  readonly context: CallContext | undefined;
  readonly listener: Partial<TransportListener>;
  deliver(fact: Fact | UnknownFact, bytes: number): void;
  /** The terminal fact was delivered. */
  ended(): void;
  gap(gap: Gap): void;
  report(report: ClientReport): void;
}

/** One connection, as the decoder sees it. It is dead to the decoder once it was closed. */
export interface ConnectionInput {
  readonly transport: TransportName;
  /** The cursor that it began with; null for the start. */
  readonly begunAfter: string | null;
  readonly isClosed: boolean;
  /** How many facts came this way. */
  readonly delivered: number;
  /** The server took it. `extensions` is what it granted. */
  confirmed(extensions?: unknown): void;
  /** The text of one frame, or of the data of one event. */
  frame(text: string): void;
  /** Text came that is not one frame: told, and nothing else. */
  raw(text: string): void;
  /** One parsed frame or event of a page, and its size. */
  value(value: unknown, bytes: number): void;
  gap(gap: Gap): void;
  /** A sign of life that carries nothing. */
  alive(): void;
  /** Tells the chart what came since the last time. Called at the end of each chunk. */
  flush(): void;
  /** The connection has ended; `event` says how, where it was not simply lost. */
  lost(reason: string, event?: TransportEvent): void;
  close(): void;
}

/** Turns frames into facts: each once, in order, from however many connections. */
export interface FrameDecoder {
  readonly cursor: string | null;
  readonly isDense: boolean;
  open(transport: TransportName, tell: (event: TransportEvent) => void): ConnectionInput;
  /** Believes a page that it reaches this far. */
  advance(cursor: string): void;
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
    open: (transport, tell) => openConnection(transport, cursor, target, tell),
    advance(id) {
      if (cursor.value === null || (compareEventIds(id, cursor.value) ?? -1) > 0) cursor.move(id);
    },
  };
}

// eslint-disable-next-line max-lines-per-function -- One state that all verbs share; a class costs more bytes than `npm run size` has left.
function openConnection(
  transport: TransportName,
  cursor: DeliveryCursor,
  target: FrameDecoderTarget,
  tell: (event: TransportEvent) => void,
): ConnectionInput {
  const { taskId, context, listener } = target;
  const moment = { taskId, context };
  const begunAfter = cursor.value;
  const isStream = transport !== 'poll';
  const came = { facts: false, life: false, malformed: false };
  let isClosed = false;
  let isLevel = false;
  let isConfirmed = false;
  let delivered = 0;

  // `confirmed`, `level` and `alive` exist for the two streams only; the callers below see to it.
  const say = (what: 'confirmed' | 'level' | 'facts' | 'alive' | 'malformed'): void =>
    tell({ type: `${transport}.${what}` } as TransportEvent);

  function level(): void {
    if (!isLevel && isStream) say('level');
    isLevel = true;
  }

  function flush(): void {
    if (isClosed) return;
    if (came.facts) say('facts');
    else if (came.life && isStream) say('alive');
    came.facts = came.life = came.malformed = false;
  }

  function malformed(reason: string): void {
    target.report({ type: 'malformed', taskId, transport, reason });
    listener.onMalformedWirePayload?.({ ...moment, source: transport, reason });
    flush();
    came.malformed = true;
    say('malformed');
  }

  function confirmed(extensions?: unknown): void {
    if (isClosed) return;
    if (Array.isArray(extensions)) cursor.markDense();
    isConfirmed = true;
    if (isStream) say('confirmed');
    if (begunAfter === cursor.value) level();
  }

  function gap(found: Gap): void {
    if (isClosed) return;
    cursor.open(found);
    target.report({ type: 'gap', taskId, ...found });
    target.gap(found);
    tell({ type: 'log.gap', reason: found.reason });
  }

  function lost(reason: string, event?: TransportEvent): void {
    flush();
    if (isClosed) return;
    isClosed = true;
    target.report({ type: 'lost', taskId, transport, reason });
    if (!isConfirmed && transport === 'ws') listener.onWsSetupFailed?.({ ...moment, reason });
    if (!isConfirmed && transport === 'sse') listener.onSseSetupFailed?.({ ...moment, reason });
    tell(event ?? { type: `${transport}.lost` });
  }

  function take(fact: UnknownFact, bytes: number): void {
    const { eventId, type } = fact;
    if (!cursor.isNew(eventId)) {
      came.life = true;
      if (eventId === cursor.value) level();
      return;
    }
    if (cursor.hasHole(eventId)) return lost(`hole before ${eventId}`);
    level();
    cursor.move(eventId);
    came.facts = true;
    delivered += 1;
    if (transport === 'sse') listener.onSseEvent?.({ ...moment, fact });
    else if (transport === 'poll') listener.onPollEvent?.({ ...moment, fact });
    target.deliver(fact, bytes);
    if (!isTerminalType(type)) return;
    flush();
    // Not by this connection, which a full consumer may just have closed.
    target.ended();
  }

  function value(parsed: unknown, bytes: number): void {
    if (isClosed) return;
    const frame = readFrame(parsed, taskId);
    if (frame.kind === 'fact') take(frame.fact, bytes);
    else if (frame.kind === 'confirmed') confirmed(frame.extensions);
    else if (frame.kind === 'gap') gap(frame.gap);
    else if (frame.kind === 'malformed') malformed(frame.reason);
    else {
      came.life = true;
      if (Array.isArray(frame.extensions)) cursor.markDense();
    }
  }

  return {
    transport,
    begunAfter,
    get isClosed() {
      return isClosed;
    },
    get delivered() {
      return delivered;
    },
    confirmed,
    raw: (text) => tellRaw(listener, moment, transport, text),
    frame(text) {
      if (isClosed) return;
      tellRaw(listener, moment, transport, text);
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        return malformed('no JSON');
      }
      value(parsed, text.length);
    },
    value,
    gap,
    alive() {
      // Bytes that nothing can be told from are no sign of life: three in a row would never be.
      if (!came.malformed) came.life = true;
    },
    flush,
    lost,
    close() {
      isClosed = true;
    },
  };
}
