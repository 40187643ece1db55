import {
  createSharedConnection,
  type AttachedObservation,
  type SharedConnection,
  type SharedConnectionStart,
  type SharedConnectionDeps,
} from './shared-connection.ts';

/** The connections of one client. Observations of one task share a connection as soon as they stand at the same fact. */
export interface SharedConnections {
  /** Puts a member on a connection that passes by where it stands, else on one of its own. */
  attach(member: AttachedObservation, beginning: SharedConnectionStart): void;
}

/** Two connections of one task that merge at a fact become one; the one that is connected stays. */
export function createSharedConnections(host: SharedConnectionDeps): SharedConnections {
  const connections = new Map<string, Set<SharedConnection>>();

  function merge(taskId: string, connection: SharedConnection): void {
    for (const other of connections.get(taskId) ?? []) {
      if (other === connection || other.cursor !== connection.cursor || other.context !== connection.context) continue;
      if (other.isLive) connection.moveTo(other);
      else other.moveTo(connection);
      return;
    }
  }

  return {
    attach(member, beginning) {
      const { taskId, context } = beginning;
      const known = connections.get(taskId) ?? new Set<SharedConnection>();
      for (const connection of known) if (connection.context === context && connection.attach(member)) return;
      const connection = createSharedConnection(beginning, host, {
        moved: (moving) => merge(taskId, moving),
        over(ended) {
          known.delete(ended);
          if (known.size === 0 && connections.get(taskId) === known) connections.delete(taskId);
        },
      });
      connections.set(taskId, known.add(connection));
      connection.attach(member);
      connection.start();
    },
  };
}
