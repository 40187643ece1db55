import {
  createActor,
  initialTransition,
  toPromise,
  transition,
  type AnyActorLogic,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventObject,
  type ExecutableActionObject,
  type StateValue,
} from 'xstate';
import type { Handler, Task } from 'taskbridge/adapters/in-process';
import type { Json, JsonObject } from 'taskbridge/wire';

/** What a machine may emit: what the task's people see of it. */
export type Shown =
  | { readonly type: 'progress'; readonly progress: number; readonly stage?: string }
  | { readonly type: 'message'; readonly message: string };

/** An actor that the machine invokes, under the key that it has in every run of the task. */
interface Invocation {
  readonly id: string;
  readonly src: string;
  readonly input: Json;
  readonly key: string;
}

interface Timer {
  /** XState's own name of it, by which it is cancelled. */
  readonly id: string;
  readonly event: EventObject & JsonObject;
  /** In milliseconds since the epoch: a run after a crash waits for what is left. */
  readonly at: number;
}

/** Where the machine stands: all that a run after a crash needs. */
interface Saved {
  readonly value: StateValue;
  readonly context: JsonObject;
  /** What it came to, where it is over. */
  readonly output?: Json;
  readonly timers: readonly Timer[];
  readonly invocations: readonly Invocation[];
  /** How many were invoked so far, for the next key. */
  readonly invoked: number;
}

/** The machine's invocations of this source are questions to the task's people; their input is the question, their output the answer. */
const ASK = 'ask';

/**
 * A handler whose work is a machine. Each event is one step by `transition`: where it leads, what it shows, what it asks and when it wakes
 * are one commit; then come its actions and the promises that it invokes. A run after a crash goes on in the state that was committed last, and
 * invokes again what had not ended, under the same key (`self.id`): whoever is called with it does its work once.
 */
export function machineHandler(machine: AnyStateMachine): Handler {
  return (task) => new MachineRun(machine, task).run();
}

class MachineRun {
  readonly #machine: AnyStateMachine;
  readonly #task: Task;
  readonly #queue: EventObject[] = [];
  /** What runs in this process, by id, with the way to stop it. */
  readonly #running = new Map<string, () => void>();
  #timers: readonly Timer[] = [];
  #invocations: readonly Invocation[] = [];
  #invoked = 0;
  #wake: () => void = () => undefined;

  constructor(machine: AnyStateMachine, task: Task) {
    this.#machine = machine;
    this.#task = task;
  }

  async run(): Promise<Json> {
    try {
      let snapshot = await this.#begin();
      while (snapshot.status === 'active') {
        const [next, actions] = transition(this.#machine, snapshot, (await this.#next()) as never) as Step;
        snapshot = next;
        await this.#commit(next, actions);
      }
      if (snapshot.status === 'error') throw snapshot.error;
      return (snapshot.output ?? null) as Json;
    } finally {
      for (const stop of this.#running.values()) stop();
    }
  }

  async #begin(): Promise<AnyMachineSnapshot> {
    const { saved, input } = this.#task;
    if (saved === undefined) {
      const [snapshot, actions] = initialTransition(this.#machine, input) as Step;
      await this.#commit(snapshot, actions);
      return snapshot;
    }
    // Only this class saves here.
    const { value, context, output, timers, invocations, invoked } = saved as unknown as Saved;
    this.#timers = timers;
    this.#invocations = invocations;
    this.#invoked = invoked;
    this.#startAll((src) => src === ASK);
    this.#startAll((src) => src !== ASK);
    // The process may be gone between the last step and the end of the task.
    return this.#machine.resolveState({ value, context, output }) as AnyMachineSnapshot;
  }

  /** Writes where a step has led and all that it says, at once; then does what it does. */
  async #commit(snapshot: AnyMachineSnapshot, actions: readonly ExecutableActionObject[]): Promise<void> {
    this.#plan(snapshot, actions);
    // From here to the end of this turn all is one commit: facts, questions and what is saved.
    for (const shown of emittedBy(actions)) this.#show(shown);
    this.#startAll((src) => src === ASK);
    // The types of a machine that is any are any.
    const { value, context, output } = snapshot as Pick<Saved, 'value' | 'context' | 'output'>;
    const state: Saved = {
      value,
      context,
      ...(output !== undefined && { output }),
      timers: this.#timers,
      invocations: this.#invocations,
      invoked: this.#invoked,
    };
    await this.#task.save(state as unknown as Json);
    for (const action of actions) if (!action.type.startsWith('xstate.')) action.exec?.(action.info, action.params);
    this.#startAll((src) => src !== ASK);
  }

  #show(shown: Shown): void {
    if (shown.type === 'message') void this.#task.message(shown.message);
    else void this.#task.progress(shown.progress, shown.stage === undefined ? {} : { stage: shown.stage });
  }

  /** Which timers and invocations there are after a step. */
  #plan(snapshot: AnyMachineSnapshot, actions: readonly ExecutableActionObject[]): void {
    for (const { type, params = {} } of actions as readonly { readonly type: string; readonly params?: Record<string, unknown> }[]) {
      const { id, event, delay, src, input, sendId } = params;
      if (type === 'xstate.cancel') this.#timers = this.#timers.filter((timer) => timer.id !== sendId);
      if (type === 'xstate.raise')
        this.#timers = [...this.#timers, { id: id as string, event: event as Timer['event'], at: Date.now() + Number(delay) }];
      if (type !== 'xstate.spawnChild') continue;
      this.#stop(id as string);
      this.#invoked += 1;
      const key = `${this.#task.taskId}:${id as string}:${this.#invoked}`;
      this.#invocations = [...this.#invocations, { id: id as string, src: src as string, input: (input ?? {}) as Json, key }];
    }
    const wanted = new Set(snapshot._nodes.flatMap(({ invoke }) => invoke.map(({ id }) => id)));
    for (const { id } of this.#invocations) if (!wanted.has(id)) this.#stop(id);
  }

  #stop(id: string): void {
    this.#invocations = this.#invocations.filter((each) => each.id !== id);
    this.#running.get(id)?.();
    this.#running.delete(id);
  }

  #startAll(isWanted: (src: string) => boolean): void {
    for (const invocation of this.#invocations) if (isWanted(invocation.src) && !this.#running.has(invocation.id)) this.#start(invocation);
  }

  #start({ id, src, input, key }: Invocation): void {
    let isStopped = false;
    let stop = (): void => undefined;
    const tell = (event: EventObject): void => {
      if (!isStopped) this.#tell(event);
    };
    this.#running.set(id, () => {
      isStopped = true;
      stop();
    });
    const run = (): Promise<unknown> => {
      if (src === ASK) return this.#task.suspend(key, input as never);
      const actor = createActor(this.#machine.implementations.actors[src] as AnyActorLogic, { id: key, input });
      stop = () => void actor.stop();
      const ended = toPromise(actor);
      actor.start();
      return ended;
    };
    run().then(
      (output) => tell({ type: `xstate.done.actor.${id}`, output, actorId: id } as EventObject),
      (error: unknown) => tell({ type: `xstate.error.actor.${id}`, error, actorId: id } as EventObject),
    );
  }

  #tell(event: EventObject): void {
    this.#queue.push(event);
    this.#wake();
  }

  /** The next event: what an actor says, or the timer that is due first. */
  async #next(): Promise<EventObject> {
    const { signal } = this.#task;
    for (;;) {
      if (signal.aborted) throw signal.reason;
      const event = this.#queue.shift();
      if (event) return event;
      const [first] = this.#timers.toSorted((one, other) => one.at - other.at);
      if (first && first.at <= Date.now()) {
        this.#timers = this.#timers.filter((timer) => timer !== first);
        return first.event;
      }
      await new Promise<void>((resolve) => {
        const timer = first && setTimeout(resolve, first.at - Date.now());
        signal.addEventListener('abort', () => resolve(), { once: true });
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

type Step = readonly [AnyMachineSnapshot, readonly ExecutableActionObject[]];

function emittedBy(actions: readonly ExecutableActionObject[]): readonly Shown[] {
  return actions.flatMap(({ type, params }) => (type === 'xstate.emit' ? [(params as unknown as { readonly event: Shown }).event] : []));
}
