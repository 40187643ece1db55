import { createActor, fromCallback, fromPromise, type ActorRefFrom } from 'xstate';
import { climbMs, retryOf, transportMachine, type Settlement, type TransportContext, type TransportEvent } from '../../machines/index.ts';
import { type TransportName, isTerminalType, type TaskSnapshotResponse } from '../../machines/wire/index.ts';
import type { CallContext, Credentials } from '../auth/credentials.ts';
import { TaskBridgeClientError } from '../errors.ts';
import type { ClientSettings } from '../options.ts';
import { join, toWebSocketUrl } from '../routes.ts';
import { runEventStream } from '../transports/event-stream.ts';
import { runPoll } from '../transports/long-poll.ts';
import { runWebSocket } from '../transports/web-socket.ts';
import { createAuthorizer } from './authorizer.ts';
import type { FrameDecoder } from './frame-decoder.ts';

/** The running chart of one observation's transport. */
export type TransportActor = ActorRefFrom<typeof transportMachine>;

/** What the chart's actors work with. */
export interface TransportActorDeps {
  readonly taskId: string;
  readonly context: CallContext | undefined;
  readonly settings: ClientSettings;
  readonly credentials: Credentials;
  readonly decoder: FrameDecoder;
  /** Asks for the snapshot, once. */
  readonly probe: (signal: AbortSignal) => Promise<TaskSnapshotResponse>;
}

/** Gives the transport chart its IO and its clock. The actor is not started yet. */
export function createTransportActor(deps: TransportActorDeps): TransportActor {
  const { taskId, settings, credentials, decoder } = deps;
  const { gate } = settings;
  const authorizer = createAuthorizer(settings, credentials, decoder);
  let hasFallen = false;
  const machine = transportMachine.provide({
    actors: {
      ...connectionsOf(deps, authorizer, () => hasFallen),
      settle: fromPromise<Settlement>(({ signal }) => settle(deps, signal)),
      refreshCredentials: fromPromise<void>(({ signal }) => authorizer.refresh(signal)),
      watchGate: fromCallback<TransportEvent>(({ sendBack }) => {
        const tell = (open: boolean): void => sendBack({ type: open ? 'gate.opened' : 'gate.closed' });
        tell(gate.isOpen());
        return gate.subscribe(tell);
      }),
    },
    delays: delaysOf(settings),
  });
  const actor = createActor(machine, {
    id: `${taskId}/transport`,
    clock: settings.clock,
    input: { tries: settings.tries, strategy: settings.strategy, refreshable: credentials.refreshable },
    ...(settings.inspect && { inspect: settings.inspect }),
  });
  watchFallbacks(actor, deps, (fell) => (hasFallen = fell));
  return actor;
}

/** What connects, one for each way. One that was fallen to says so, for the server to count. Source: protocol, "Extensions". */
function connectionsOf(
  { taskId, context, settings, decoder }: TransportActorDeps,
  { connect }: ReturnType<typeof createAuthorizer>,
  hasFallen: () => boolean,
) {
  const { limits, routes, sockets, baseUrl } = settings;
  const poll = (wait: boolean) =>
    connect('poll', (authorized) => {
      const cursor = authorized.connection.begunAfter;
      const url = join(baseUrl, routes.events(taskId, context), {
        ...(cursor !== null && { afterEventId: cursor }),
        waitTimeoutMs: String(wait ? limits.pollWaitMs : 0),
        maxEvents: String(limits.pollEventsMax),
        ...(hasFallen() && { extensions: 'fallback' }),
      });
      return runPoll({ url, settings, ...authorized, advance: (id) => decoder.advance(id) });
    });
  return {
    openWebSocket: connect('ws', (authorized) => {
      // Without sockets the chart has no tries for them.
      if (!sockets) return () => undefined;
      const extensions = ['gap', ...(sockets.extensions ?? [])].join();
      const url = toWebSocketUrl(join(baseUrl, routes.webSocket(context), { extensions }));
      return runWebSocket({ url, taskId, settings, sockets, ...authorized });
    }),
    openEventStream: connect('sse', (authorized) => {
      const url = join(baseUrl, routes.stream(taskId, context), { extensions: hasFallen() ? 'gap,fallback' : 'gap' });
      return runEventStream({ url, settings, ...authorized });
    }),
    pollOnce: poll(false),
    pollAndWait: poll(true),
  };
}

/** Asks the server whether the log has ended, once. */
async function settle({ decoder, settings, probe }: TransportActorDeps, signal: AbortSignal): Promise<Settlement> {
  try {
    const { status, lastEventId = null } = await probe(signal);
    // A cursor beyond it is one of another history: the server says so when it is asked to go on from there.
    const isAtEnd = lastEventId === null || decoder.cursor === lastEventId;
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
}

function delaysOf({ limits, chance, backoffMs }: ClientSettings) {
  return {
    reconnectBackoff: ({ context }: { context: TransportContext }) => Math.max(context.retryAfterMs, backoffMs(retryOf(context))),
    climbInterval: ({ context }: { context: TransportContext }) => climbMs(limits.climbIntervalMs, context, chance.fraction() - 0.5),
    provingTime: limits.provingMs,
    openTimeout: limits.openMs,
    livenessTimeout: limits.livenessMs,
    pollTimeout: limits.pollWaitMs + limits.pollGraceMs,
    emptyPause: limits.emptyPauseMs,
  };
}

/** Tells the listener of each step down, and `note` that there was one, until what was fallen to is live. */
function watchFallbacks(actor: TransportActor, { taskId, context, settings }: TransportActorDeps, note: (fell: boolean) => void): void {
  const { tries, listener } = settings;
  let last: TransportName = tries.ws > 0 ? 'ws' : tries.sse > 0 ? 'sse' : 'poll';
  actor.subscribe((snapshot) => {
    const { transport } = snapshot.context;
    // Before anything is tried, the context has the highest one, whether it may be used or not.
    if (!snapshot.hasTag(transport)) return;
    const fell = transport !== last && (transport === 'poll' || last === 'ws');
    if (fell && transport === 'sse') listener.onFallbackToSse?.({ taskId, context });
    if (fell && transport === 'poll') listener.onFallbackToPolling?.({ taskId, context });
    if (fell) note(true);
    else if (transport !== last || snapshot.hasTag('live')) note(false);
    last = transport;
  });
}
