import { createActor, fromTransition, type AnyActorRef, type EventObject, type InspectionEvent } from 'xstate';
import { startActors, type AggregateActors, type Inspect } from '../../machines/index.ts';
import { attemptMachine } from '../attempt/attempt.machine.ts';
import type { Logger } from '../ports/observability.ts';
import type { TaskAbout } from '../task/about.ts';
import type { TaskRecord } from '../task/task-record.ts';
import type { Decided, DecisionEntry, RefusedCreate, UnitTrace } from './unit-trace.ts';

/** An inspector, and what it is shown. */
export interface InspectOptions {
  readonly inspect: Inspect;
  /** The tasks that it is shown, and the creates that became none; of one that was refused before it was read, little is known. Defaults to all. */
  readonly filter?: (about: TaskAbout) => boolean;
  /** Tasks that it is shown at once; the one in which nothing happened for longest gives its place away. Defaults to 100. */
  readonly tasksMax?: number;
}

/** A task that is shown, and up to which record. */
interface InspectedTask {
  readonly actors: AggregateActors;
  readonly attempt: AnyActorRef;
  revision: number;
}

const TASKS_MAX = 100;
/** Is only told of creates which became no task: one actor, however many there are. */
const refusedCreates = fromTransition((none: object) => none, {});

/** What a host gave as `inspect`, with its defaults. Throws a `TypeError` or `RangeError` that says what cannot be. */
export function inspectOptions(given: Inspect | InspectOptions): Required<InspectOptions> {
  const { inspect, filter = () => true, tasksMax = TASKS_MAX } = 'inspect' in given ? given : { inspect: given };
  if (typeof inspect !== 'function' && typeof inspect !== 'object')
    throw new TypeError('inspect must be a function or an observer, or { inspect, filter, tasksMax }.');
  if (!Number.isSafeInteger(tasksMax) || tasksMax < 1)
    throw new RangeError(`inspect.tasksMax (${tasksMax}) must be a whole number from 1 on: that many tasks are shown at once.`);
  return { inspect, filter, tasksMax };
}

/**
 * Shows an inspector what this node decides, once it stands: a root actor for each task, which is told of every decision, and beneath it `task`,
 * `attempt` and `questions.<suspendId>`, moved by what came of it. Creates that became no task are told to one actor beside them all.
 */
export class TaskInspector {
  readonly #options: Required<InspectOptions>;
  readonly #logger: Logger;
  readonly #inspect: Inspect;
  readonly #tasks = new Map<string, InspectedTask>();
  #creates: AnyActorRef | undefined;

  constructor(options: Required<InspectOptions>, logger: Logger) {
    this.#options = options;
    this.#logger = logger;
    const { inspect } = options;
    const look = typeof inspect === 'function' ? inspect : (event: InspectionEvent): void => inspect.next?.(event);
    this.#inspect = (event) => this.#guarded(() => look(event));
  }

  /** Shows what was decided. Never throws. */
  show(decided: Decided): void {
    if ('entry' in decided) this.#showRefused(decided);
    else this.#showUnit(decided);
  }

  #showRefused({ about, entry }: RefusedCreate): void {
    if (!this.#guarded(() => this.#options.filter(about))) return;
    this.#creates ??= createActor(refusedCreates, { id: 'creates', inspect: this.#inspect }).start();
    this.#creates.send(shown(entry));
  }

  #showUnit({ before, after, entries }: UnitTrace): void {
    const { taskId } = before.about;
    if (entries.length === 0 || !this.#guarded(() => this.#options.filter(before.about))) return;
    const task = this.#at(before);
    for (const entry of entries) {
      if (entry.kind === 'fact') task.actors.feed(entry.fact);
      else if (entry.kind === 'attempt') task.attempt.send(entry.event);
      else if (entry.kind === 'order') task.attempt.send(Object.assign({ ...entry.due }, { order: entry.order }));
      else task.actors.tell(shown(entry));
    }
    // The last one is the one that something happened to.
    this.#tasks.delete(taskId);
    if (!after) return task.actors.stop();
    task.revision = after.revision;
    this.#tasks.set(taskId, task);
  }

  close(): void {
    for (const { actors } of this.#tasks.values()) actors.stop();
    this.#tasks.clear();
    this.#creates?.stop();
  }

  /** The actors of a task as its record says: those that stand there, or new ones where another node has written meanwhile. */
  #at({ about: { taskId }, aggregate, execution, revision }: TaskRecord): InspectedTask {
    const known = this.#tasks.get(taskId);
    if (known?.revision === revision) return known;
    known?.actors.stop();
    this.#tasks.delete(taskId);
    if (this.#tasks.size >= this.#options.tasksMax) this.#forgetFirst();
    const actors = startActors(taskId, aggregate, this.#inspect);
    return { actors, attempt: actors.add('attempt', attemptMachine, execution.attempt), revision };
  }

  #forgetFirst(): void {
    const [first] = this.#tasks;
    if (!first) return;
    first[1].actors.stop();
    this.#tasks.delete(first[0]);
  }

  /** What the host gave breaks no commit. */
  #guarded<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.#logger.warn('inspect failed; the task goes on.', { error });
      return undefined;
    }
  }
}

/** A decision as an event: the intent, who wished for it, and why it became no fact. */
function shown({ intent, source, refusal }: DecisionEntry): EventObject {
  return Object.assign({ ...intent }, { source }, refusal !== undefined && { refusal });
}
