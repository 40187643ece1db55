import { monotonicMs, systemChance, systemClock, type Clock, type ServerChance } from '../../server/ports/index.ts';
import type { EventId } from '../../machines/wire/index.ts';
import type { StoreDeps } from './deps.ts';
import { parseKind, type Kind } from './kind.ts';
import { parsePlan, planNames, type StoredPlan } from './plans.ts';
import { parseOpenLanes } from './lane-record.ts';
import { listOf, textOf } from './reply.ts';
import { fields } from './scripts/index.ts';

/** What the store itself keeps of a task beside its fields, as this node saw it last. */
export interface Head {
  readonly revision: number;
  /**
   * What tells two histories of one task apart that have the same revision. Every commit leaves a mark of its own; a commit that was decided
   * on another one is refused: Redis has lost writes since (restart, failover), and other nodes went on from there.
   */
  readonly mark: string;
  readonly lastEventId: EventId | null;
  readonly ended: boolean;
  /** Facts with a smaller `n` were dropped. */
  readonly firstRetained: number;
  readonly plan: StoredPlan;
  /** Undefined for a task of 0.1.0. */
  readonly kind: Kind | undefined;
  /** The open lanes, in the order in which they were opened; undefined for a task that never had one. */
  readonly lanes: readonly EventId[] | undefined;
}

/** The heads of the tasks that a node read or wrote last. */
export interface Heads {
  /** A mark that nobody else makes. */
  nextMark(): string;
  note(taskId: string, head: Head): void;
  /** The head at that revision, where it is known. */
  known(taskId: string, revision: number): Head | undefined;
  forget(taskId: string): void;
}

/** Tasks whose heads are remembered: more than a bridge keeps at hand. */
const TASKS_MAX = 50_000;
/** One that nobody wrote for so long is read again: memory follows what is at work, and not what ever was. */
const KEPT_MS = 10 * 60_000;

/** Makes an empty memory of heads. */
export function createHeads(clock: Clock = systemClock, chance: ServerChance = systemChance): Heads {
  /** The one that was noted longest ago comes first. */
  const heads = new Map<string, { readonly head: Head; readonly notedAt: number }>();
  const own = chance.hex(12);
  let count = 0;

  function dropOld(now: number): void {
    for (const [taskId, { notedAt }] of heads) {
      if (heads.size <= TASKS_MAX && now - notedAt < KEPT_MS) return;
      heads.delete(taskId);
    }
  }

  return {
    nextMark: () => `${own}.${(count += 1).toString(36)}`,
    note(taskId, head) {
      const notedAt = monotonicMs(clock);
      heads.delete(taskId);
      heads.set(taskId, { head, notedAt });
      dropOld(notedAt);
    },
    known(taskId, revision) {
      const head = heads.get(taskId)?.head;
      return head?.revision === revision ? head : undefined;
    },
    forget(taskId) {
      heads.delete(taskId);
    },
  };
}

/** The hash fields that hold a head. */
export const headNames = ['at', 'first', planNames.plan, 'kind', planNames.due, 'lanes'] as const;

/** A head as one text that is compared as a whole: `<revision>;<mark>;<last id>;<0 or 1>`. */
export function textOfHead({ revision, mark, lastEventId, ended }: Head): string {
  return `${revision};${mark};${lastEventId ?? ''};${ended ? '1' : '0'}`;
}

/** Reads the values of {@link headNames}; undefined where there is no task. */
export function parseHead([at, first, plan, kind, due, lanes]: readonly (string | undefined)[]): Head | undefined {
  if (at === undefined) return undefined;
  const [revision, mark = '', last, ended] = at.split(';');
  return {
    revision: Number(revision),
    mark,
    // Written by `append` only.
    lastEventId: last ? (last as EventId) : null,
    ended: ended === '1',
    firstRetained: Number(first),
    plan: parsePlan(plan, due),
    kind: parseKind(kind),
    lanes: parseOpenLanes(lanes),
  };
}

/** The head at a revision, as this node knows it or as Redis has it; undefined where the task is gone or at another revision. */
export async function headAt({ connection, keys, heads }: StoreDeps, taskId: string, revision: number): Promise<Head | undefined> {
  const known = heads.known(taskId, revision);
  if (known) return known;
  const values = listOf(await connection.run(fields, [keys.task(taskId)], headNames));
  const head = parseHead(values.map((value) => (value === null ? undefined : textOf(value))));
  return head?.revision === revision ? head : undefined;
}
