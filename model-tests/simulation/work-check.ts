import type { TaskRow } from '../../adapters/memory/memory.ts';
import type { Task } from '../../adapters/in-process/index.ts';
import type { Commit, NewTask, Plan } from '../../server/ports/index.ts';
import type { Entity } from './event-queue.ts';
import type { World } from './world.ts';

/** The lease of every simulated node, in milliseconds. */
export const LEASE_MS = 4_500;
/** After how many crashes a task is not run again. */
export const CRASHES_MAX = 3;
/** What a stop may need beyond a lease to come through: one renewal more, and the stop itself. */
const STOP_MS = 2_500;

/** One life of one node, as its work sees it. */
interface Life {
  readonly entity: Entity;
  /** When a renewal of it was last written, in milliseconds of the world. */
  renewedAt: number;
  end: 'closing' | 'closed' | 'crashed' | undefined;
}

/** A handler that runs. */
interface Run {
  readonly life: Life;
  readonly attempt: number;
  /** Told to stop, it may still wait for what it reported, and is no more work. */
  readonly signal: AbortSignal;
}

interface CheckedTask {
  readonly repeatable: boolean;
  hasBegun: boolean;
  /** How often somebody took it from a node that was gone. */
  takenOver: number;
  /** A node that closed gave it up. */
  wasGivenUp: boolean;
  hasEnded: boolean;
  /** The store has lost some of its history, attempts among it. */
  hasLost: boolean;
  readonly running: Set<Run>;
}

/**
 * Knows which node lives, which handler runs and whose lease was really written, and judges by that what nodes do to each other's work: a node
 * that lives keeps it; what was given up was begun; nothing runs twice for longer than a lease.
 */
export class WorkCheck {
  readonly #world: World;
  readonly #exclusive: boolean;
  readonly #runsAgainWithinMs: number | undefined;
  readonly #lives = new Map<string, Life>();
  /** By the id that a node gave itself. */
  readonly #byNode = new Map<string, Life>();
  readonly #tasks = new Map<string, CheckedTask>();

  /** Where one process owns the store, whoever held work before it opened it is gone: no lease need be named. */
  constructor(world: World, exclusive: boolean, runsAgainWithinMs?: number) {
    this.#world = world;
    this.#exclusive = exclusive;
    this.#runsAgainWithinMs = runsAgainWithinMs;
  }

  created({ taskId, taskType, plan }: NewTask, by: string): void {
    const holder = holderOf(plan);
    if (holder !== undefined && !this.#byNode.has(holder)) this.#byNode.set(holder, this.#of(by));
    this.#tasks.set(taskId, {
      repeatable: taskType === 'again',
      hasBegun: false,
      takenOver: 0,
      wasGivenUp: false,
      hasEnded: false,
      hasLost: false,
      running: new Set(),
    });
  }

  born(name: string, entity: Entity): void {
    this.#lives.set(name, { entity, renewedAt: Number.NEGATIVE_INFINITY, end: undefined });
  }

  closes(name: string): void {
    this.#of(name).end ??= 'closing';
  }

  ended(name: string, how: 'closed' | 'crashed'): void {
    const life = this.#of(name);
    life.end = how;
    if (how === 'crashed') this.#expectAgain(life);
    for (const { running } of this.#tasks.values()) for (const run of running) if (run.life === life) running.delete(run);
  }

  isClosing(name: string): boolean {
    return this.#of(name).end !== undefined;
  }

  /** A renewal was written. */
  renewed(name: string, node: string): void {
    this.#of(name).renewedAt = this.#world.time;
    this.#byNode.set(node, this.#of(name));
  }

  /** A handler was called. Gives what has to be called when it is over. */
  begins({ taskId, attempt, signal }: Pick<Task, 'taskId' | 'attempt' | 'signal'>, name: string): () => void {
    const task = this.#task(taskId);
    const run: Run = { life: this.#of(name), attempt, signal };
    task.hasBegun = true;
    // One that was claimed long ago may begin beside one that was claimed since: the older of both has to end.
    for (const other of task.running) {
      // What the store has lost counts again: then their numbers say nothing.
      if (task.hasLost) this.#expectEnd(taskId, run, other);
      else this.#expectEnd(taskId, other.attempt > attempt ? run : other);
    }
    task.running.add(run);
    return () => void task.running.delete(run);
  }

  /** A commit was written that replaced a plan. */
  committed(commit: Commit, before: Plan, row: TaskRow, by: string, wasClosing: boolean): void {
    const world = this.#world;
    const [holder, next] = [holderOf(before), holderOf(row.plan)];
    const life = this.#of(by);
    const task = this.#task(commit.taskId);
    if (next !== undefined && next !== holder) {
      if (!this.#byNode.has(next)) this.#byNode.set(next, life);
      if (wasClosing) world.fault('a node that closes claims nothing', `${by} claimed ${commit.taskId}`);
    }
    task.hasEnded = row.ended;
    const owner = holder === undefined ? undefined : this.#byNode.get(holder);
    // Whoever holds it says something: where its handler was not called yet, it was about to be.
    if (owner === life) task.hasBegun = true;
    if (owner === life && wasClosing && holder !== next) task.wasGivenUp = true;
    const isGone = owner?.end === 'closed' || owner?.end === 'crashed';
    const needsNoLease = this.#exclusive && isGone;
    // Whoever ends a task ends that of others too; where no lease need be named, that may be how it was given up.
    if (!owner || owner === life || (!commit.ifLease && (holder === next || (row.ended && !needsNoLease)))) return;
    task.takenOver += 1;
    const silentMs = Math.round(world.time - owner.renewedAt);
    const what = `${by} took ${commit.taskId} from ${owner.entity.name}`;
    if (!commit.ifLease && !needsNoLease) world.fault('work is taken by a lease', `${what}, and named none`);
    else if (!isGone && silentMs < LEASE_MS) world.fault('a living node keeps its work', `${what}, which beat ${silentMs} ms before`);
  }

  /** The store has gone back to what it had of a task. */
  restored(taskId: string): void {
    this.#task(taskId).hasLost = true;
  }

  /** A task was ended as lost. */
  lost(taskId: string): void {
    const { repeatable, hasBegun, takenOver, wasGivenUp } = this.#task(taskId);
    if (!hasBegun) this.#world.fault('what never began is never lost', taskId);
    else if (takenOver === 0 && !wasGivenUp) this.#world.fault('only a node that is gone loses work', taskId);
    else if (repeatable && takenOver < CRASHES_MAX)
      this.#world.fault('work that may be repeated is', `${taskId} is lost after it was taken over ${takenOver} times`);
  }

  /** What a node ran that crashed runs again soon, where that is expected: all of it. */
  #expectAgain(life: Life): void {
    const withinMs = this.#runsAgainWithinMs;
    if (withinMs === undefined) return;
    const interrupted = [...this.#tasks].filter(([, { running }]) => [...running].some((run) => run.life === life));
    this.#world.after((this.#exclusive ? 0 : 2 * LEASE_MS) + withinMs, this.#world.itself, () => {
      const missing = interrupted.filter(([, { running, hasEnded }]) => running.size === 0 && !hasEnded);
      if (missing.length > 0)
        this.#world.fault(
          'what a crash interrupted runs again soon',
          `${missing.length} of ${interrupted.length} do not after ${withinMs} ms`,
        );
    });
  }

  /** Another run of its task began: this one, or one of these two, has a lease's time, in which it is not frozen, to end. */
  #expectEnd(taskId: string, run: Run, other = run): void {
    const frozenUntil = (): number => Math.max(run.life.entity.frozenUntil, other.life.entity.frozenUntil);
    const goesOn = (one: Run): boolean => this.#task(taskId).running.has(one) && !one.life.entity.isDead && !one.signal.aborted;
    const from = Math.max(this.#world.time, frozenUntil());
    this.#world.after(from + LEASE_MS + STOP_MS - this.#world.time, this.#world.itself, () => {
      if (!goesOn(run) || !goesOn(other)) return;
      if (frozenUntil() > from) return this.#expectEnd(taskId, run, other);
      const { entity } = run.life;
      this.#world.fault('nothing runs twice for longer than a lease', `attempt ${run.attempt} of ${taskId} goes on in ${entity.name}`);
    });
  }

  #of(name: string): Life {
    const life = this.#lives.get(name);
    if (life) return life;
    throw new Error(`There is no node ${name}.`);
  }

  #task(taskId: string): CheckedTask {
    const task = this.#tasks.get(taskId);
    if (task) return task;
    throw new Error(`Nobody created task ${taskId}.`);
  }
}

function holderOf({ work }: Plan): string | undefined {
  return work && 'heldBy' in work ? work.heldBy : undefined;
}
