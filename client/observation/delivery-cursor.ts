import { compareEventIds, parseEventId, type Gap } from '../../machines/wire/index.ts';

/** Ids that are remembered where ids cannot be compared. Source: protocol, "Facts". */
const RECENT_MAX = 256;

/** How far one observation has received its log. Moves forward only, but for a reset. */
export interface DeliveryCursor {
  /** The newest id; null for the start. */
  readonly value: string | null;
  /** True once the server said that its ids count without holes. */
  readonly isDense: boolean;
  markDense(): void;
  isNew(id: string): boolean;
  /** True where ids are dense and this one does not follow. */
  hasHole(id: string): boolean;
  move(id: string): void;
  /** The next id need not follow; after a reset any id is new. */
  open(gap: Gap): void;
}

/** A cursor after `start`; null for the start of the log. */
export function createDeliveryCursor(start: string | null): DeliveryCursor {
  let value = start;
  let isDense = false;
  let mayJump = start === null;
  const recent = new Set<string>(start === null ? [] : [start]);

  return {
    get value() {
      return value;
    },
    get isDense() {
      return isDense;
    },
    markDense() {
      isDense = true;
    },
    isNew(id) {
      const order = value === null ? undefined : compareEventIds(id, value);
      return order === undefined ? !recent.has(id) : order > 0;
    },
    hasHole(id) {
      if (!isDense || mayJump || value === null) return false;
      const last = parseEventId(value);
      const next = parseEventId(id);
      return last !== undefined && next !== undefined && next.n !== last.n + 1;
    },
    move(id) {
      value = id;
      mayJump = false;
      recent.add(id);
      if (recent.size > RECENT_MAX) for (const oldest of recent) return void recent.delete(oldest);
    },
    open({ reason }) {
      mayJump = true;
      if (reason === 'trimmed') return;
      value = null;
      recent.clear();
    },
  };
}
