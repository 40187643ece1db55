import { createActor, fromCallback, fromPromise, type ActorRefFrom } from 'xstate';
import {
  climbMs,
  isTerminalType,
  retryOf,
  transportMachine,
  type Settlement,
  type TaskSnapshotResponse,
  type TransportContext,
  type TransportEvent,
  type TransportName,
} from '../../machines/index.ts';
import type { Authorization, CallContext, Credentials } from '../auth/credentials.ts';
import { TaskBridgeClientError } from '../errors.ts';
import { whenOpen } from '../gate.ts';
import type { ClientSettings } from '../options.ts';
import { join, toWebSocketUrl } from '../routes.ts';
import { runEventStream } from '../transports/event-stream.ts';
import { runPoll } from '../transports/long-poll.ts';
import { runWebSocket } from '../transports/web-socket.ts';
import type { Connection, Intake } from './intake.ts';

/** The running chart of one observation's transport. */
export type TransportActor = ActorRefFrom<typeof transportMachine>;

/** What the chart's actors need. */
export interface TransportActorOptions {
  readonly taskId: string;
  readonly context: CallContext | undefined;
  readonly settings: ClientSettings;
  readonly credentials: Credentials;
  readonly intake: Intake;
  /** Asks for the snapshot, once. */
  readonly probe: (signal: AbortSignal) => Promise<TaskSnapshotResponse>;
}

/** Gives the transport chart its IO and its clock. The actor is not started yet. */
export function createTransportActor({ taskId, context, settings, credentials, intake, probe }: TransportActorOptions): TransportActor {
  const { limits, clock, chance, routes, gate, sockets, baseUrl, listener } = settings;
  let usedGeneration = 0;

  /** Opens a connection with credentials; `run` returns or resolves with what frees it. */
  const connect = (
    transport: TransportName,
    run: (
      connection: Connection,
      authorization: Authorization,
      signal: AbortSignal,
      tell: (event: TransportEvent) => void,
    ) => (() => void) | Promise<void>,
  ) =>
    fromCallback<TransportEvent>(({ sendBack }) => {
      const controller = new AbortController();
      const connection = intake.open(transport, sendBack);
      let free: (() => void) | Promise<void> | undefined;
      let renewal: unknown;
      credentials.authorize().then(
        (authorization) => {
          if (controller.signal.aborted) return;
          usedGeneration = authorization.generation;
          if (transport !== 'poll' && authorization.expiresAt !== undefined)
            renewal = clock.setTimeout(
              () => void renew(authorization.generation, controller.signal, sendBack),
              dueMs(authorization.expiresAt),
            );
          free = run(connection, authorization, controller.signal, sendBack);
        },
        (error: unknown) => connection.lost('no credentials', { type: 'credentials.failed', error }),
      );
      return () => {
        connection.close();
        controller.abort();
        if (renewal !== undefined) clock.clearTimeout(renewal);
        if (typeof free === 'function') free();
      };
    });

  /** A token that is good for less than the time before is renewed half-way, not at once and for ever. */
  const dueMs = (expiresAt: number): number => {
    const left = Math.max(0, expiresAt - clock.now());
    return Math.min(Math.max(left - limits.renewBeforeMs, left / 2), LONGEST_TIMER_MS);
  };

  async function renew(generation: number, signal: AbortSignal, tell: (event: TransportEvent) => void): Promise<void> {
    try {
      await whenOpen(gate, signal);
      await credentials.refresh(generation);
      if (!signal.aborted) tell({ type: 'credentials.renewed' });
    } catch {
      // The connection lives on; its end, and a 401 after it, ask again and say why.
    }
  }

  const poll = (wait: boolean) =>
    connect('poll', (connection, authorization, signal, tell) => {
      const cursor = connection.begunAfter;
      const url = join(baseUrl, routes.events(taskId, context), {
        ...(cursor !== null && { afterEventId: cursor }),
        waitTimeoutMs: String(wait ? limits.pollWaitMs : 0),
        maxEvents: String(limits.pollEventsMax),
      });
      return runPoll({ url, settings, connection, authorization, signal, tell, advance: (id) => intake.advance(id) });
    });

  const machine = transportMachine.provide({
    actors: {
      openWebSocket: connect('ws', (connection, authorization) => {
        // Without sockets the chart has no tries for them.
        if (!sockets) return () => undefined;
        const extensions = ['gap', ...(sockets.extensions ?? [])].join();
        const url = toWebSocketUrl(join(baseUrl, routes.webSocket(context), { extensions }));
        return runWebSocket({ url, taskId, settings, sockets, connection, authorization });
      }),
      openEventStream: connect('sse', (connection, authorization, signal) =>
        runEventStream({
          url: join(baseUrl, routes.stream(taskId, context), { extensions: 'gap' }),
          settings,
          connection,
          authorization,
          signal,
        }),
      ),
      pollOnce: poll(false),
      pollAndWait: poll(true),
      settle: fromPromise<Settlement>(async ({ signal }) => {
        try {
          const { status, lastEventId = null } = await probe(signal);
          // A cursor beyond it is one of another history: the server says so when it is asked to go on from there.
          const isAtEnd = lastEventId === null || intake.cursor === lastEventId;
          const hasEnded = isTerminalType(`TASK_${status}`);
          return { outcome: hasEnded && isAtEnd ? 'finished' : 'unfinished' };
        } catch (error) {
          // An answer that is no snapshot, like a proxy's own page, refuses nothing.
          if (!(error instanceof TaskBridgeClientError) || error.status === undefined || error.status < 400) throw error;
          const { status, code, message, retryAfterMs } = error;
          const verdict = settings.classify?.(error);
          return {
            outcome: 'refused',
            status,
            code,
            message,
            ...(retryAfterMs !== undefined && { retryAfterMs }),
            ...(verdict && { verdict }),
          };
        }
      }),
      refreshCredentials: fromPromise<void>(async ({ signal }) => {
        await whenOpen(gate, signal);
        await credentials.refresh(usedGeneration);
      }),
      watchGate: fromCallback<TransportEvent>(({ sendBack }) => {
        const tell = (open: boolean): void => sendBack({ type: open ? 'gate.opened' : 'gate.closed' });
        tell(gate.isOpen());
        return gate.subscribe(tell);
      }),
    },
    delays: {
      reconnectBackoff: ({ context: memory }: { context: TransportContext }) =>
        Math.max(memory.retryAfterMs, settings.backoffMs(retryOf(memory))),
      climbInterval: ({ context: memory }: { context: TransportContext }) =>
        climbMs(limits.climbIntervalMs, memory, chance.fraction() - 0.5),
      provingTime: limits.provingMs,
      openTimeout: limits.openMs,
      livenessTimeout: limits.livenessMs,
      pollTimeout: limits.pollWaitMs + limits.pollGraceMs,
      emptyPause: limits.emptyPauseMs,
    },
  });

  const actor = createActor(machine, {
    id: `${taskId}/transport`,
    clock,
    input: { tries: settings.tries, strategy: settings.strategy, refreshable: credentials.refreshable },
    ...(settings.inspect && { inspect: settings.inspect }),
  });
  let last: TransportName = settings.tries.ws > 0 ? 'ws' : settings.tries.sse > 0 ? 'sse' : 'poll';
  actor.subscribe(({ context: { transport } }) => {
    if (transport === 'sse' && last === 'ws') listener.onFallbackToSse?.({ taskId, context });
    if (transport === 'poll' && last !== 'poll') listener.onFallbackToPolling?.({ taskId, context });
    last = transport;
  });
  return actor;
}

/** A longer timer fires at once on most platforms; connections rarely live that long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
