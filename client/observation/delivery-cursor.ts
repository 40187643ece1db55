import { compareEventIds, eventNumber, type Gap } from '../../machines/wire/index.ts';

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
  /**
   * What is missing before this id, where ids are dense: `hole` where it does not follow the last one, `beginning` where it is the first of a
   * log that is read from its start and whose start is no longer kept.
   */
  lacks(id: string): 'hole' | 'beginning' | undefined;
  move(id: string): void;
  /** The next id need not follow; after a reset any id is new. */
  open(gap: Gap): void;
  /** Nothing was delivered: the log is read from its start. */
  restart(): void;
}

/** A cursor after `start`; null for the start of the log. */
export function createDeliveryCursor(start: string | null): DeliveryCursor {
  let value = start;
  let isDense = false;
  /** True where a gap was told: the next id need not follow. */
  let mayJump = false;
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
    lacks(id) {
      const last = value === null ? 0n : eventNumber(value);
      const next = eventNumber(id);
      if (!isDense || mayJump || last === undefined || next === undefined || next === last + 1n) return undefined;
      return value === null ? 'beginning' : 'hole';
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
    restart() {
      value = null;
      mayJump = false;
      recent.clear();
    },
  };
}
