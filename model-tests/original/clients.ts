import {
  createTaskBridgeClient,
  type Observation,
  type ClientReport,
  type TaskBridgeClient,
  type TaskBridgeClientOptions,
  type TransportName,
} from 'taskbridge/client/node';
import type { Fact, UnknownFact } from 'taskbridge/wire';

/** The ladder, and each of its rungs alone. */
export const ways: readonly (readonly TransportName[])[] = [['ws'], ['sse'], ['poll'], ['ws', 'sse', 'poll']];

/** The clients of one test, with short rests, and what they reported. */
export interface Clients {
  make(options?: Partial<TaskBridgeClientOptions>): TaskBridgeClient;
  readonly reports: ClientReport[];
  /** Resolves once this many connections ended in an observation. */
  losses(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Clients of `ada`. */
export function createClients(baseUrl: () => string): Clients {
  const made: TaskBridgeClient[] = [];
  const reports: ClientReport[] = [];
  const waiting = new Set<() => void>();
  const lost = () => reports.filter(({ type }) => type === 'lost').length;
  return {
    reports,
    make(options = {}) {
      const client = createTaskBridgeClient({
        baseUrl: baseUrl(),
        auth: () => 'ada',
        onReport: (report) => {
          reports.push(report);
          for (const look of waiting) look();
        },
        ...options,
        limits: { backoffBaseMs: 1, backoffMaxMs: 4, emptyPauseMs: 5, pollWaitMs: 300, ...options.limits },
      });
      made.push(client);
      return client;
    },
    losses(count) {
      return new Promise((resolve) => {
        const look = () => {
          if (lost() < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
    async close() {
      await Promise.all(made.splice(0).map((client) => client.close()));
      reports.length = 0;
    },
  };
}

/** Everything that an observation delivers, until it ends; `each` sees every fact before the next one is asked for. */
export async function watch(
  observation: Observation,
  each?: (fact: Fact | UnknownFact, count: number) => unknown,
): Promise<(Fact | UnknownFact)[]> {
  const facts: (Fact | UnknownFact)[] = [];
  for await (const fact of observation) {
    facts.push(fact);
    await each?.(fact, facts.length);
  }
  return facts;
}

export const idsOf = (facts: readonly (Fact | UnknownFact)[]): string[] => facts.map(({ eventId }) => eventId);
export const typesOf = (facts: readonly (Fact | UnknownFact)[]): string[] => facts.map(({ type }) => type.replace('TASK_', ''));
