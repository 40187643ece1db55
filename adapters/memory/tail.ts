import type { Tail, TailListener } from '../../server/ports/index.ts';

/** The tails of a store whose commits all happen in this process. */
export interface LocalTails {
  /** Adds a tail that hears of commits from now on, for the tasks that it watches. */
  open(listener: TailListener): Tail;
  /**
   * Publishes a commit to everybody, once it is visible. Listeners run in a later microtask, in the order of the calls, so that no viewer's
   * code runs inside the commit.
   */
  publish(...commit: Parameters<TailListener['committed']>): void;
  /** The same for bytes of a lane, to everybody who watches its task's parts. */
  publishPart(...part: Parameters<NonNullable<TailListener['part']>>): void;
}

/** Makes an empty set of tails. */
export function createLocalTails(): LocalTails {
  const tails = new Set<{ readonly watched: Set<string>; readonly parts: Set<string>; readonly listener: TailListener }>();

  return {
    open(listener) {
      const tail = { watched: new Set<string>(), parts: new Set<string>(), listener };
      tails.add(tail);
      return {
        async watch(taskId) {
          tail.watched.add(taskId);
        },
        async watchParts(taskId) {
          tail.parts.add(taskId);
        },
        unwatch(taskId) {
          tail.watched.delete(taskId);
          tail.parts.delete(taskId);
        },
        async announce(notice) {
          for (const { listener: told } of tails) queueMicrotask(() => told.announced?.(notice));
        },
        async close() {
          tails.delete(tail);
          tail.watched.clear();
          tail.parts.clear();
        },
      };
    },

    publish(...commit) {
      const [taskId] = commit;
      for (const { watched, listener } of tails) {
        if (!watched.has(taskId)) continue;
        queueMicrotask(() => {
          // It may have been unwatched in between.
          if (watched.has(taskId)) listener.committed(...commit);
        });
      }
    },

    publishPart(...part) {
      const [taskId] = part;
      for (const { parts, listener } of tails) {
        if (!parts.has(taskId)) continue;
        queueMicrotask(() => {
          if (parts.has(taskId)) listener.part?.(...part);
        });
      }
    },
  };
}
