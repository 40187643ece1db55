import {
  compareEventIds,
  isTerminalType,
  parseEventId,
  type EventId,
  type Fact,
  type Gap,
  type TransportEvent,
  type TransportName,
  type UnknownFact,
} from '../../machines/index.ts';
import type { Report } from '../report.ts';

/** Ids that are remembered where ids cannot be compared. Source: protocol, "Cursor". */
const RECENT_MAX = 256;

/** What the intake hands on. */
export interface IntakeTarget {
  readonly taskId: string;
  deliver(fact: Fact | UnknownFact, bytes: number): void;
  /** The terminal fact was delivered. */
  ended(): void;
  gap(gap: Gap): void;
  report(report: Report): void;
}

/** One connection, as the intake sees it. It is dead to the intake once it was closed. */
export interface Connection {
  readonly transport: TransportName;
  /** The cursor that it began with; null for the start. */
  readonly begunAfter: string | null;
  /** The server took it. `extensions` is what it granted. */
  confirmed(extensions?: unknown): void;
  /** The text of one frame. */
  frame(text: string): void;
  /** One parsed frame or event of a page, and its size. */
  value(value: unknown, bytes: number): void;
  /** Tells the chart what came since the last time. Called at the end of each chunk. */
  flush(): void;
  gap(gap: Gap): void;
  /** A sign of life that carries nothing. */
  alive(): void;
  /** How many facts came this way. */
  readonly delivered: number;
  /** The connection has ended; `event` says how, where it was not simply lost. */
  lost(reason: string, event?: TransportEvent): void;
  close(): void;
  readonly isClosed: boolean;
}

/** Turns frames into facts: each once, in order. Owns the cursor of what was received. */
export interface Intake {
  readonly cursor: string | null;
  /** True once the server said that its ids count without holes. */
  readonly isDense: boolean;
  open(transport: TransportName, tell: (event: TransportEvent) => void): Connection;
  /** Believes a page that it reaches this far. */
  advance(cursor: string): void;
}

/** Begins after `cursor`; null for the start. */
export function createIntake(target: IntakeTarget, start: string | null): Intake {
  let cursor = start;
  let mayJump = cursor === null;
  let dense = false;
  const recent = new Set<string>();
  if (start !== null) recent.add(start);

  function isNew(id: string): boolean {
    const order = cursor === null ? undefined : compareEventIds(id, cursor);
    return order === undefined ? !recent.has(id) : order > 0;
  }

  function hasHole(id: string): boolean {
    if (!dense || mayJump || cursor === null) return false;
    const last = parseEventId(cursor);
    const next = parseEventId(id);
    return last !== undefined && next !== undefined && next.n !== last.n + 1;
  }

  function move(id: string): void {
    cursor = id;
    mayJump = false;
    recent.add(id);
    if (recent.size > RECENT_MAX) for (const oldest of recent) return void recent.delete(oldest);
  }

  function noteGap(gap: Gap): void {
    mayJump = true;
    if (gap.reason === 'reset') {
      cursor = null;
      recent.clear();
    }
    target.gap(gap);
  }

  return {
    get cursor() {
      return cursor;
    },
    get isDense() {
      return dense;
    },
    advance(id) {
      if (cursor === null || (compareEventIds(id, cursor) ?? -1) > 0) move(id);
    },
    open(transport, tell) {
      let isClosed = false;
      let isLevel = false;
      let hasFacts = false;
      let isAlive = false;
      let delivered = 0;
      const begunAfter = cursor;
      const isStream = transport !== 'poll';
      // `level` and `alive` exist for the two streams only; the callers below see to it.
      const say = (what: 'confirmed' | 'level' | 'facts' | 'alive' | 'malformed'): void => tell({ type: `${transport}.${what}` } as TransportEvent);

      function level(): void {
        if (isLevel) return;
        isLevel = true;
        if (isStream) say('level');
      }

      function malformed(reason: string): void {
        target.report({ type: 'malformed', taskId: target.taskId, transport, reason });
        flush();
        say('malformed');
      }

      function flush(): void {
        if (isClosed) return;
        if (hasFacts) say('facts');
        else if (isAlive && isStream) say('alive');
        hasFacts = false;
        isAlive = false;
      }

      function fact(value: UnknownFact, bytes: number): void {
        if (!isNew(value.eventId)) {
          isAlive = true;
          if (value.eventId === cursor) level();
          return;
        }
        if (hasHole(value.eventId)) return connection.lost(`hole before ${value.eventId}`);
        level();
        move(value.eventId);
        hasFacts = true;
        delivered += 1;
        target.deliver(value, bytes);
        if (!isTerminalType(value.type)) return;
        flush();
        // Not by this connection, which a full consumer may just have closed.
        target.ended();
      }

      const connection: Connection = {
        transport,
        begunAfter,
        get isClosed() {
          return isClosed;
        },
        get delivered() {
          return delivered;
        },
        alive() {
          isAlive = true;
        },
        confirmed(extensions) {
          if (isClosed) return;
          if (Array.isArray(extensions)) dense = true;
          if (isStream) say('confirmed');
          if (begunAfter === cursor) level();
        },
        frame(text) {
          if (isClosed) return;
          let value: unknown;
          try {
            value = JSON.parse(text);
          } catch {
            return malformed('no JSON');
          }
          connection.value(value, text.length);
        },
        value(value, bytes) {
          if (isClosed) return;
          const frame = readFrame(value);
          if (typeof frame === 'string') return malformed(frame);
          if (frame.taskId !== target.taskId) return malformed('another task');
          if (frame.type === 'HEARTBEAT' || frame.type === 'SUBSCRIPTION_CONFIRMED') {
            const extensions = frame['extensions'] ?? (frame['payload'] as { extensions?: unknown } | undefined)?.extensions;
            if (Array.isArray(extensions)) dense = true;
            if (frame.type === 'SUBSCRIPTION_CONFIRMED') return connection.confirmed(extensions);
            isAlive = true;
          } else if (frame.type === 'GAP') {
            const gap = readGap(frame['reason'] === undefined ? frame['payload'] : frame);
            if (gap) connection.gap(gap);
            else malformed('a gap without a reason');
          } else if (typeof frame['eventId'] !== 'string' || frame['eventId'] === '' || typeof frame['createdAt'] !== 'string') malformed('no event id or time');
          // Checked as far as the envelope goes; an odd payload is delivered as it is.
          else fact(frame as unknown as UnknownFact & { eventId: EventId }, bytes);
        },
        flush,
        gap(gap) {
          if (isClosed) return;
          noteGap(gap);
          tell({ type: 'log.gap', reason: gap.reason });
        },
        lost(reason, event) {
          if (isClosed) return;
          flush();
          if (isClosed) return;
          target.report({ type: 'lost', taskId: target.taskId, transport, reason });
          isClosed = true;
          tell(event ?? { type: `${transport}.lost` });
        },
        close() {
          isClosed = true;
        },
      };
      return connection;
    },
  };
}

type Frame = { readonly type: string; readonly taskId: string; readonly [key: string]: unknown };

function readFrame(value: unknown): Frame | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'no object';
  const { type, taskId } = value as { type?: unknown; taskId?: unknown };
  if (typeof type !== 'string' || typeof taskId !== 'string') return 'no type or task id';
  return value as Frame;
}

/** Reads what says why a cursor could not be continued from; undefined where it says nothing. */
export function readGap(value: unknown): Gap | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { reason, firstEventId } = value as { reason?: unknown; firstEventId?: unknown };
  if (reason !== 'trimmed' && reason !== 'reset') return undefined;
  return { reason, firstEventId: typeof firstEventId === 'string' ? firstEventId : null };
}
