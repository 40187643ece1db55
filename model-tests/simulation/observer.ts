import { isDeepStrictEqual } from 'node:util';
import { isTerminalType, parseEventId } from '../../machines/wire/index.ts';
import {
  TaskBridgeClientError,
  type Observation,
  type ObservationSnapshot,
  type TaskBridgeClient,
  type TaskView,
} from '../../client/index.ts';
import type { Entity } from './event-queue.ts';
import { PartReaders } from './part-readers.ts';
import type { Habit } from './plan.ts';
import type { PlantedBug } from './planted-bug.ts';
import { historiesOf, viewText, type Oracle } from './oracle.ts';
import type { World } from './world.ts';

/** What somebody who observes is made of. */
export interface ObserverDeps {
  readonly world: World;
  readonly oracle: Oracle;
  readonly name: string;
  readonly taskId: string;
  readonly habit: Habit;
  readonly hidesAnswered: boolean;
  readonly planted: PlantedBug;
  /** Whoever follows snapshots reads all parts, too. */
  readonly readsParts: boolean;
  /** The client had no token that is good: it may give up with this, and somebody signs in again. */
  mayBeLeft(error: unknown): boolean;
  /** The client knows neither the start of the log nor a snapshot, for all its observers: it may show less than the log says. */
  isPartial(): boolean;
  /** The client was not closed. */
  isOpen(client: TaskBridgeClient): boolean;
  /** How far any observer of this task on this machine came, as a number. */
  dealtHere(): number;
}

/** A fact that was taken. */
interface Taken {
  readonly n: number;
  readonly eventId: string;
  /** It is the first of a history that has replaced another. */
  readonly isAfresh: boolean;
}

/** Somebody who wants to see all of one task, through any number of lives of a client; remembers what was dealt with, as a database would. */
export class Observer {
  isDone = false;
  /** The last fact that was dealt with in any life, as its number. */
  dealt = 0;
  /** The last fact of this life that was dealt with; undefined where this life has none yet, or nobody iterates. */
  dealtNow: number | undefined;
  readonly taskId: string;
  readonly #deps: ObserverDeps;
  #taken = 0;
  #gapsTold = 0;
  #resetsTold = 0;
  #observation: Observation | undefined;
  #readers: PartReaders | undefined;

  constructor(deps: ObserverDeps) {
    this.#deps = deps;
    this.taskId = deps.taskId;
  }

  /** In one life of a client. */
  observe(client: TaskBridgeClient, entity: Entity): void {
    const { habit, taskId } = this.#deps;
    if (this.isDone) return;
    this.dealtNow = undefined;
    this.#gapsTold = 0;
    this.#resetsTold = 0;
    const observation = client.observe(taskId);
    this.#observation = observation;
    this.#readers = undefined;
    if (habit.watches !== 'facts') this.#watch(observation, client, entity);
    if (habit.watches !== 'snapshots') void this.#iterate(observation, client, entity);
  }

  /** The client was told that facts are missing, or that history was replaced. */
  gapTold(reason: 'trimmed' | 'reset'): void {
    this.#gapsTold += 1;
    if (reason === 'reset') this.#resetsTold += 1;
  }

  /** A checkpoint was kept at fact `n`: whoever only looks has dealt with it, also while the snapshot is awaited. */
  kept(n: number): void {
    if (this.#deps.habit.watches === 'snapshots') this.dealt = Math.max(this.dealt, n);
  }

  /** Whether this life has dealt with fact `n`, or nobody asks. Questions that were answered here may be hidden: they count as dealt with. */
  hasDealtWith(n: number): boolean {
    // What is missing was said to be, and what follows it may be hidden.
    // Whose observation has failed has no say any more.
    if (this.shown?.connection.state === 'failed') return true;
    if (this.dealtNow === undefined || this.dealtNow >= n || this.#gapsTold > 0) return true;
    const { oracle, hidesAnswered } = this.#deps;
    return hidesAnswered && historiesOf(oracle.of(this.taskId)).some(({ facts }) => facts[n - 1]?.type === 'TASK_SUSPENDED');
  }

  /** What it shows now. */
  get shown(): ObservationSnapshot | undefined {
    return this.#observation?.getSnapshot();
  }

  /** The parts that are not read to their end. */
  get reading(): readonly number[] {
    return this.#readers?.pending ?? [];
  }

  async #iterate(observation: Observation, client: TaskBridgeClient, entity: Entity): Promise<void> {
    const { world, habit, name, planted } = this.#deps;
    const iterator = planted.iterate?.(observation) ?? observation[Symbol.asyncIterator]();
    let last: Taken | undefined;
    let ended = false;
    for (;;) {
      let next;
      try {
        next = await iterator.next();
      } catch (error) {
        if (entity.isDead || (error instanceof TaskBridgeClientError && error.code === 'CLOSED')) return;
        if (this.#deps.mayBeLeft(error)) return this.#comeBackLater(client, entity);
        return world.fault('observations end with their log', `${name}: ${String(error)}`);
      }
      if (entity.isDead) return;
      if (next.done) break;
      const fact = next.value;
      last = this.#take(fact, last);
      ended = isTerminalType(fact.type);
      if (habit.slowMs > 0) await new Promise<void>((resolve) => world.after(habit.slowMs, entity, resolve));
      if (entity.isDead) return;
      this.#taken += 1;
      if (habit.leavesAfter !== undefined && world.time < LEAVES_MS && this.#taken % (habit.leavesAfter + 1) === habit.leavesAfter) {
        this.dealtNow = undefined;
        await iterator.return?.();
        if (habit.watches === 'both') observation.close();
        return this.#comeBackLater(client, entity, 'comes back to it');
      }
      this.dealt = last.isAfresh ? last.n : Math.max(this.dealt, last.n);
      this.dealtNow = last.n;
    }
    const { terminal, lost } = this.#deps.oracle.of(this.taskId);
    if (!ended && !terminal && lost.length === 0)
      world.fault('no end before the last fact', `${name} was told of an end after fact ${last?.n ?? 'none'}`);
    if (terminal && !(ended && lost.length > 0) && last !== undefined && last.n !== parseEventId(terminal.eventId)?.n)
      world.fault('no end before the last fact', `${name} was told of an end after fact ${last.n}`);
    world.tell(name, 'has seen the end');
    this.dealtNow = undefined;
    this.isDone = true;
  }

  #take({ eventId, type }: { readonly eventId: string; readonly type: string }, last: Taken | undefined): Taken {
    const { world, oracle, name, hidesAnswered, taskId, dealtHere } = this.#deps;
    const n = parseEventId(eventId)?.n ?? 0;
    const task = oracle.of(taskId);
    const histories = historiesOf(task).filter(({ facts }) => facts[n - 1]?.eventId === eventId && facts[n - 1]?.type === type);
    world.tell(name, `takes ${n} ${type.slice(5)}`);
    if (histories.length === 0)
      world.fault('only what is committed is shown', `${name} got ${type} ${eventId}, the log has ${task.facts[n - 1]?.eventId}`);
    // Of the same history as the fact before it, and after that; or the first of another, of which it was told.
    const follows = !last || (n > last.n && histories.some(({ facts }) => facts[last.n - 1]?.eventId === last.eventId));
    const isAfresh = !follows && this.#resetsTold > 0;
    if (isAfresh) this.#resetsTold -= 1;
    else if (!follows && n <= last.n) world.fault('each fact once, in order', `${name} got fact ${n} after ${last.n}`);
    // Where the fact before it is no longer kept, nobody can compare them.
    else if (!follows && last.n >= task.firstRetained)
      world.fault('nobody sees two histories as one', `${name} got ${eventId} after ${last.eventId}`);
    const from = isAfresh ? 0 : (last?.n ?? dealtHere());
    const isHidden = (number: number): boolean =>
      hidesAnswered && histories.some(({ facts }) => facts[number - 1]?.type === 'TASK_SUSPENDED');
    // Without a checkpoint, the first fact that is still kept is the first of all; a history that is lost may have kept fewer.
    const fewest = task.lost.length > 0 ? n : task.firstRetained;
    const kept = last === undefined || isAfresh ? fewest : 0;
    let isMissing = false;
    for (let missing = from + 1; missing < n; missing += 1) isMissing ||= missing >= kept && !isHidden(missing);
    // Where the start is no longer kept, it is missing too, and said to be.
    for (let missing = 1; last === undefined && from === 0 && missing < n; missing += 1) isMissing ||= !isHidden(missing);
    if (isMissing && this.#gapsTold === 0) world.fault('no fact is lost', `${name} got fact ${n} after ${from}, and was told of no gap`);
    if (isMissing) this.#gapsTold -= 1;
    return { n, eventId, isAfresh };
  }

  #comeBackLater(client: TaskBridgeClient, entity: Entity, how = 'signs in again'): void {
    const { world, name } = this.#deps;
    this.dealtNow = undefined;
    world.after(300, entity, () => {
      // Closed meanwhile: its next life observes again.
      if (!this.#deps.isOpen(client)) return;
      world.tell(name, how);
      this.observe(client, entity);
    });
  }

  #watch(observation: Observation, client: TaskBridgeClient, entity: Entity): void {
    const { world, oracle, name, taskId, habit, isPartial, readsParts, mayBeLeft } = this.#deps;
    const readers = readsParts ? new PartReaders({ name, world, oracle, observation, entity, mayBeLeft }) : undefined;
    this.#readers = readers;
    const fault = (task: TaskView): string | undefined => {
      const shown = viewText(task);
      const truth = oracle.view(taskId, task.lastEventId ?? '');
      if (shown === truth || isDeepStrictEqual(JSON.parse(shown), safeParse(truth))) return undefined;
      return `${name} shows ${shown}, the log says ${truth}`;
    };
    const judge = (text: string | undefined): void => {
      if (text !== undefined) world.fault('client = fold(log)', text);
    };
    let seen: string | null = null;
    const look = ({ task, connection }: ObservationSnapshot): void => {
      if (entity.isDead) return;
      readers?.look();
      if (task.lastEventId !== null && task.lastEventId !== seen && !isPartial()) {
        seen = task.lastEventId;
        const found = fault(task);
        if (oracle.of(taskId).lost.length === 0) judge(found);
        // A late message of a history that is lost may be on its way beside a snapshot of the new one, until a `reset` overtakes it.
        else if (found !== undefined)
          world.after(RESET_MS, entity, () => {
            const { task: later } = observation.getSnapshot();
            if (later.lastEventId === task.lastEventId && !isPartial()) judge(fault(later));
          });
      }
      // Whoever only looks has dealt with what was shown.
      if (habit.watches === 'snapshots' && seen !== null) this.dealt = Math.max(this.dealt, parseEventId(seen)?.n ?? 0);
      if (connection.state === 'failed' && this.#deps.mayBeLeft(connection.error)) {
        if (habit.watches === 'snapshots') this.#comeBackLater(client, entity);
      } else if (connection.state === 'failed') world.fault('observations end with their log', `${name}: ${String(connection.error)}`);
      if (habit.watches === 'snapshots' && connection.state === 'done' && task.terminal) this.isDone = true;
    };
    observation.subscribe(look);
    look(observation.getSnapshot());
  }
}

/** Nobody leaves a loop later than that: a long log has to be dealt with before it is removed. */
const LEAVES_MS = 60_000;

/** Within this time of the world a viewer hears that its history is lost. */
const RESET_MS = 15_000;

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
