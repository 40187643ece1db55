import { createTaskBridgeClient, type Observation, type TaskBridgeClient, type TaskBridgeClientOptions } from 'taskbridge/client/node';
import { createScriptedServer, type ScriptedServer } from '../support/scripted-server.ts';

export interface Harness {
  readonly server: ScriptedServer;
  client(options?: Partial<TaskBridgeClientOptions>): TaskBridgeClient;
  close(): Promise<void>;
}

/** A scripted server and the clients of one test. Rests are a millisecond unless the test brings its own clock. */
export async function createHarness(): Promise<Harness> {
  const server = await createScriptedServer();
  const clients: TaskBridgeClient[] = [];
  return {
    server,
    client(options = {}) {
      const made = createTaskBridgeClient({
        baseUrl: server.baseUrl,
        chance: { fraction: () => 0.5 },
        ...options,
        limits: { ...(!options.clock && { backoffBaseMs: 1, backoffMaxMs: 2, emptyPauseMs: 1 }), ...options.limits },
      });
      clients.push(made);
      return made;
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
      await server.close();
    },
  };
}

/** The ids of all facts, by their first number. */
export async function numbers(observation: Observation): Promise<number[]> {
  const found: number[] = [];
  for await (const { eventId } of observation) found.push(Number(eventId.split('-')[0]));
  return found;
}
