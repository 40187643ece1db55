import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Gap } from '../../machines/wire/index.ts';
import type { LiveService } from '../http/live-service.ts';
import { queryFields } from '../http/query.ts';
import type { LiveHub } from '../live/hub.ts';
import type { LogRun } from '../live/log-read.ts';
import type { AuthContext } from '../ports/auth.ts';
import type { Clock } from '../ports/clock.ts';
import { FactStream, type FactOrGap, type FollowOptions } from './fact-stream.ts';

/** What a stream of server-sent events is opened with. */
export interface SseOptions {
  /** Additions to the protocol, `gap` for one, between commas. Defaults to what the request's query says. */
  readonly extensions?: string | undefined;
}

/**
 * A log that this caller may follow from a cursor: who asks, the cursor and the first page are checked and read, so that a host can still answer
 * an error as one. Holds that page (at most `viewerBytesMax`, or one fact) and nothing else: one that is not used costs nothing.
 */
export interface PreparedReplay {
  readonly taskId: string;
  /** The cursor; undefined for the start. */
  readonly after: string | undefined;
  /** Only where the cursor could not be continued from. */
  readonly gap: Gap | undefined;
  /**
   * The facts after the cursor: those read already, then all others, to the terminal one. Fails where the caller's credentials have ended
   * meanwhile. See `HostTasks.watch`.
   */
  watch(options?: FollowOptions): AsyncIterable<FactOrGap>;
  /** Answers a request with the stream: 200, a sign of life, then facts; a HEAD with the head of it. Throws `RATE_LIMITED` before anything is written. */
  openSse(req: IncomingMessage, res: ServerResponse, options?: SseOptions): void;
}

/** What a prepared replay is made of. */
export interface PreparedReplayDeps {
  readonly taskId: string;
  readonly auth: AuthContext;
  readonly after: string | undefined;
  readonly first: LogRun;
  readonly hub: LiveHub;
  readonly live: LiveService;
  readonly clock: Clock;
  /** Throws where the caller's credentials have ended meanwhile. */
  readonly assertCurrent: () => void;
}

/** Makes a prepared replay of what was read. */
export function preparedReplay(deps: PreparedReplayDeps): PreparedReplay {
  const { taskId, auth, after, first, live, assertCurrent } = deps;
  const readFirst = async (): Promise<LogRun> => {
    assertCurrent();
    return first;
  };
  return {
    taskId,
    after,
    gap: first.gap,
    watch: (options = {}) => ({ [Symbol.asyncIterator]: () => new FactStream({ ...deps, ...options, readFirst }) }),
    openSse(req, res, { extensions = queryFields(req.url?.split('?')[1] ?? '', ['extensions'])['extensions'] } = {}) {
      assertCurrent();
      void live.openSse({ req, res, auth, taskId, after, extensions, first });
    },
  };
}
