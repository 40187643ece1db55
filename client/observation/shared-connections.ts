import {
  createSharedConnection,
  type AttachedObservation,
  type SharedConnection,
  type SharedConnectionStart,
  type SharedConnectionDeps,
} from './shared-connection.ts';
import { provideTransportCharts } from './transport-actor.ts';

/** The connections of one client. Observations of one task share a connection as soon as they stand at the same fact. */
export interface SharedConnections {
  /** Attaches an observation to a connection that passes where it stands, else to one of its own. */
  attach(observation: AttachedObservation, start: SharedConnectionStart): void;
}

/** Two connections of one task that stand at the same fact merge; the one that is live stays. */
export function createSharedConnections(client: Omit<SharedConnectionDeps, 'charts'>): SharedConnections {
  const deps = { ...client, charts: provideTransportCharts(client.settings) };
  const connections = new Map<string, Set<SharedConnection>>();

  function merge(taskId: string, connection: SharedConnection): void {
    for (const other of connections.get(taskId) ?? []) {
      if (other === connection || other.cursor !== connection.cursor || other.context !== connection.context) continue;
      if (other.isLive) connection.mergeInto(other);
      else other.mergeInto(connection);
      return;
    }
  }

  return {
    attach(observation, start) {
      const { taskId, context } = start;
      const known = connections.get(taskId) ?? new Set<SharedConnection>();
      for (const connection of known) if (connection.context === context && connection.attach(observation)) return;
      const connection = createSharedConnection(start, deps, {
        moved: (moving) => merge(taskId, moving),
        over(ended) {
          known.delete(ended);
          if (known.size === 0 && connections.get(taskId) === known) connections.delete(taskId);
        },
      });
      connections.set(taskId, known.add(connection));
      connection.attach(observation);
      connection.start();
    },
  };
}
