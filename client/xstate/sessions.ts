/** What an inspector of Stately's says of an actor, and of those beside it, by their sessions. */
interface OfSessions {
  readonly sessionId: string;
  readonly rootId: string | undefined;
  readonly parentId?: string | undefined;
  readonly sourceId?: string | undefined;
}

/**
 * Makes the `serialize` of Stately's inspector for one process. XState numbers the sessions of its actors in each process from 0, so that in a relay which several
 * share one is taken for the other; here each bears a name that tells the processes apart, such as `server` or a page's own id. Ids that have it are left as they are.
 */
export function namedSessions(name: string): <E extends object>(event: E) => E {
  const named = (id: string | undefined): string | undefined => (id === undefined || id.startsWith(`${name}/`) ? id : `${name}/${id}`);
  return (event) => {
    // Every event of an inspector has some of them.
    const { sessionId, rootId, parentId, sourceId } = event as OfSessions;
    return {
      ...event,
      ...{ sessionId: named(sessionId), rootId: named(rootId) },
      ...('parentId' in event && { parentId: named(parentId) }),
      ...('sourceId' in event && { sourceId: named(sourceId) }),
    };
  };
}
