import { createTaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client/node';
import { partOf, partsOf, taskParts, type PartView } from 'taskbridge/client/parts';
import type { Fact, UnknownFact } from 'taskbridge/wire';
import { AGAIN_AND_AGAIN } from '../support/patience.ts';

/** Somebody who looks at a task and its parts, with the real client, and takes down what was wrong. */
export interface PartWatch {
  /** The parts as they are now. */
  readonly parts: readonly PartView[];
  /** Characters of all parts that were shown so far. */
  readonly shown: number;
  /** Texts that did not go on where they had ended, and were not said to begin anew. */
  readonly faults: readonly string[];
  /** The facts, up to the terminal one. */
  readonly log: Promise<readonly (Fact | UnknownFact)[]>;
  /** Calls back when something has come; returns what ends that. */
  onShown(listener: () => void): () => void;
  close(): Promise<void>;
}

/** A client that does not give up while its host is away. */
export function persistentClient(baseUrl: string, { limits, ...options }: Partial<TaskBridgeClientOptions> = {}) {
  return createTaskBridgeClient({
    baseUrl,
    parts: taskParts(),
    ...options,
    limits: {
      backoffBaseMs: 20,
      backoffMaxMs: 200,
      climbIntervalMs: 300,
      openMs: 3000,
      commandRetriesMax: AGAIN_AND_AGAIN,
      commandTimeoutMs: 5000,
      ...limits,
    },
  });
}

/** Looks at a task from its first fact on, and at the parts of these names. */
export function watchParts(taskId: string, names: readonly string[], client: ReturnType<typeof persistentClient>): PartWatch {
  const observation = client.observe(taskId);
  const faults: string[] = [];
  const before = new Map<number, PartView>();
  const listeners = new Set<() => void>();
  const look = (): void => {
    for (const view of partsOf(observation)) {
      const old = before.get(view.part);
      before.set(view.part, view);
      if (!old || view.restarts > old.restarts || view.text.startsWith(old.text)) continue;
      faults.push(`${view.name} ${view.part}: ${JSON.stringify(old.text.slice(-40))} became ${JSON.stringify(view.text.slice(-40))}`);
    }
    for (const listener of [...listeners]) listener();
  };
  for (const name of names) partOf(observation, name).subscribe(look);
  const log = (async () => {
    const facts: (Fact | UnknownFact)[] = [];
    for await (const fact of observation) {
      facts.push(fact);
      look();
    }
    return facts;
  })();
  log.catch(() => undefined);
  return {
    get parts() {
      return partsOf(observation);
    },
    get shown() {
      return partsOf(observation).reduce((sum, { text }) => sum + text.length, 0);
    },
    faults,
    log,
    onShown(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => client.close(),
  };
}
