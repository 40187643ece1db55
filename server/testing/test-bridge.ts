import { inProcess, type HandlerEntry } from '../../adapters/in-process/index.ts';
import { memoryAttachments, memoryStore } from '../../adapters/memory/index.ts';
import type { TaskSnapshotResponse } from '../../machines/wire/index.ts';
import { createTaskBridge, type Clock, type Store, type TaskBridge, type TaskBridgeOptions, type TaskExecutor } from '../index.ts';
import { bearerTokenOf } from '../access/index.ts';
import { simulatedClock, type SimulatedClock } from './simulated-clock.ts';
import { scriptedHandler, type WorkScript } from './work-script.ts';

/** What a test's bridge is made of: anything of a real one, but its clock. */
export interface TestBridgeOptions extends Partial<Omit<TaskBridgeOptions, 'clock' | 'executor'>> {
  /** By type of task: a script, or a handler as `inProcess` takes it. */
  readonly work?: Readonly<Record<string, WorkScript | HandlerEntry>>;
  /** Makes an executor of the host's own, which is asked before `work`: it has to live by this clock too. */
  readonly executor?: (clock: Clock) => TaskExecutor;
  /** When the clock stands at first, in milliseconds since 1970. */
  readonly startsAt?: number;
}

/** A bridge that a test moves. */
export interface TestBridge {
  readonly bridge: TaskBridge;
  readonly store: Store;
  readonly clock: SimulatedClock;
  /** Moves the clock, and resolves when all that needs no more time has happened; see {@link SimulatedClock.advance}. */
  advance(ms: number): Promise<void>;
  /** The task when it has ended. Waits as long as it takes, without moving the clock. */
  ended(owner: string, taskId: string): Promise<TaskSnapshotResponse>;
  /** Closes the bridge; work that waits for its time is given up. */
  close(): Promise<void>;
}

/**
 * Makes and starts a whole bridge for a host's own tests: tasks and files in memory, a clock that stands still, work that plays a script. There is no
 * server before it: call `bridge.tasks({ subject })`, or mount `bridge.middleware()` in the app under test; there a bearer token is the
 * caller's subject (`Authorization: Bearer ada`), unless `auth` is given. Throws as `createTaskBridge` does.
 */
export async function createTestBridge(options: TestBridgeOptions = {}): Promise<TestBridge> {
  const { work = {}, executor, startsAt, ...given } = options;
  const clock = simulatedClock(startsAt);
  const store = given.store ?? memoryStore({ clock });
  const handlers = Object.entries(work).map(([type, one]) => [type, isHandler(one) ? one : scriptedHandler(one, clock)] as const);
  const scripted = inProcess(Object.fromEntries(handlers), { clock, ...(given.logger && { logger: given.logger }) });
  const bridge = createTaskBridge({
    auth: (request) => {
      const subject = bearerTokenOf(request);
      return subject === undefined ? undefined : { subject };
    },
    // Those of memory are one node's: a store that several share takes none.
    ...(store.exclusive && { attachments: memoryAttachments({ clock }) }),
    ...given,
    store,
    executor: executor ? [executor(clock), scripted] : scripted,
    clock,
  });
  await bridge.start();
  return {
    bridge,
    store,
    clock,
    advance: (ms) => clock.advance(ms),
    async ended(owner, taskId) {
      const tasks = bridge.system.tasks(owner);
      for await (const _ of tasks.watch(taskId));
      return tasks.get(taskId);
    },
    close: () => bridge.close(),
  };
}

function isHandler(work: WorkScript | HandlerEntry): work is HandlerEntry {
  return typeof work === 'function' || 'run' in work;
}
