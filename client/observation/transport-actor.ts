import {
  createActor,
  fromCallback,
  fromPromise,
  type ActorRefFrom,
  type AnyActorRef,
  type ContextFrom,
  type EventFrom,
  type OutputFrom,
} from 'xstate';
import {
  climbMs,
  connectionMachine,
  recoveryMachine,
  retryOf,
  transportMachine,
  type Settlement,
  type TransportInput,
} from '../../machines/index.ts';
import { type TransportName, isTerminalType, type TaskSnapshotResponse } from '../../machines/wire/index.ts';
import type { CallContext, Credentials } from '../auth/credentials.ts';
import { verdictOn } from '../commands/answer.ts';
import { fatal, TaskBridgeClientError, type ClientErrorCode } from '../errors.ts';
import { gateActor } from '../gate-actor.ts';
import { createTurns, type PollTurns } from '../held-requests.ts';
import type { ClientSettings } from '../options.ts';
import { join, toWebSocketUrl } from '../routes.ts';
import { impossible, runEventStream } from '../transports/event-stream.ts';
import { runPoll } from '../transports/long-poll.ts';
import { runWebSocket } from '../transports/web-socket.ts';
import { createAuthorizer, type Authorized, type Authorizer } from './authorizer.ts';
import type { DecodedEvent, FrameDecoder } from './frame-decoder.ts';

/** The running chart of one observation's transport; connections and recoveries are its children. */
export type TransportActor = ActorRefFrom<typeof transportMachine>;

/** What the charts of one observation work with. */
export interface TransportActorDeps {
  readonly taskId: string;
  readonly context: CallContext | undefined;
  readonly credentials: Credentials;
  readonly decoder: FrameDecoder;
  /** Asks for the snapshot, once. */
  readonly probe: (signal: AbortSignal) => Promise<TaskSnapshotResponse>;
  readonly cursor: NonNullable<TransportInput['cursor']>;
  /** Drops the checkpoint that it began from: the next connection is asked for the log from its start. */
  readonly restart: () => void;
}

/** One observation, as the actors of its charts find it. */
interface TransportLine extends TransportActorDeps {
  readonly authorizer: Authorizer;
  /** It came down to the transport that it tries now. */
  hasFallen: boolean;
}

/** The three charts with the IO, the delays and the clock of one client. */
export interface TransportCharts {
  /** Makes the charts of one observation. They are not started yet. */
  createActor(deps: TransportActorDeps): TransportActor;
}

type Tell = (event: DecodedEvent) => void;

/** Polls that take turns: so many within the rest of one after an empty page. */
const TURNS = 5;

/** Gives the charts their IO, once for all observations of a client: an actor finds its own by the system that it runs in. */
export function provideTransportCharts(settings: ClientSettings): TransportCharts {
  const { gate, limits, network } = settings;
  const lines = new WeakMap<AnyActorRef['system'], TransportLine>();
  const lineOf = (system: AnyActorRef['system']): TransportLine => {
    const line = lines.get(system);
    if (!line) throw new Error('These charts run in a system of nobody: make their actors with createActor().');
    return line;
  };
  // Polls that may not be held open take turns instead.
  const inTurn = createTurns(settings.clock, limits.emptyPauseMs / TURNS);
  const poll = (wait: boolean) =>
    fromCallback<DecodedEvent>(({ system, sendBack }) => openPoll(lineOf(system), settings, wait && inTurn, sendBack));
  const connection = connectionMachine.provide({
    actors: {
      watchGate: gateActor<DecodedEvent>(gate),
      openStream: fromCallback<DecodedEvent, { readonly transport: TransportName }>(({ input, system, sendBack }) =>
        input.transport === 'ws' ? openWebSocket(lineOf(system), settings, sendBack) : openEventStream(lineOf(system), settings, sendBack),
      ),
      pollOnce: poll(false),
      pollAndWait: poll(true),
    },
    delays: {
      openTimeout: limits.openMs,
      silentTime: limits.silentMs,
      muteTime: limits.muteMs - limits.silentMs,
      livenessTimeout: limits.livenessMs,
      pollTimeout: limits.pollWaitMs + limits.pollGraceMs,
      emptyPause: limits.emptyPauseMs,
    },
    actions: {
      reportMute: ({ context, system }) => reportTimeout(lineOf(system), settings, context.transport, true),
      reportSilence: ({ context, system }) => reportTimeout(lineOf(system), settings, context.transport, false),
    },
  });
  const recovery = recoveryMachine.provide({
    actors: {
      settle: fromPromise<Settlement>(({ system, signal }) => settle(lineOf(system), settings, signal)),
      refreshCredentials: fromPromise(({ system, signal }) => refresh(lineOf(system), settings, signal)),
    },
  });
  const watchChanges = fromCallback<EventFrom<typeof transportMachine>>(({ sendBack }) =>
    network.subscribe(() => sendBack({ type: 'network.changed' })),
  );
  const machine = transportMachine.provide({
    actors: { connection, recovery, watchNetwork: watchChanges },
    delays: delaysOf(settings),
    actions: { restartLog: ({ context, event, system }) => restart(lineOf(system), settings, context.transport, event) },
  });

  return {
    createActor(deps) {
      const actor = createActor(machine, {
        id: `${deps.taskId}/transport`,
        clock: settings.clock,
        input: {
          tries: settings.tries,
          strategy: settings.strategy,
          refreshable: deps.credentials.refreshable,
          cursor: deps.cursor,
        },
        ...(settings.inspect && { inspect: settings.inspect }),
      });
      const line: TransportLine = { ...deps, authorizer: createAuthorizer(settings, deps.credentials, deps.decoder), hasFallen: false };
      lines.set(actor.system, line);
      watchFallbacks(actor, line, settings);
      return actor;
    },
  };
}

/** Tells of a connection that the chart gave up; what its other side ends, the decoder tells of. */
function reportTimeout({ taskId, context }: TransportLine, settings: ClientSettings, transport: TransportName, isMute: boolean): void {
  const { listener, onReport } = settings;
  const reason = isMute ? 'no word in time' : 'silent for too long';
  onReport({ type: 'lost', taskId, context, transport, reason });
  if (isMute && transport === 'ws') listener.onWsSetupFailed?.({ taskId, context, reason });
  if (isMute && transport === 'sse') listener.onSseSetupFailed?.({ taskId, context, reason });
}

/** To whoever has built on what was delivered before, it is as if the history was replaced. */
function restart(line: TransportLine, { listener, onReport }: ClientSettings, transport: TransportName, event: object): void {
  // The event of a recovery's end is not part of the declared alphabet.
  const { failure } = (event as { readonly output: OutputFrom<typeof recoveryMachine> }).output;
  const moment = { taskId: line.taskId, context: line.context };
  const gap = { reason: 'reset', firstEventId: null } as const;
  const cause = failure && fatal(failure);
  onReport({
    type: 'checkpoint',
    ...moment,
    reason: 'The server refused the checkpoint: it is dropped, and the log read from its start.',
    cause,
  });
  onReport({ type: 'gap', ...moment, transport, ...gap });
  listener.onGap?.({ ...moment, source: transport, ...gap });
  line.restart();
}

// What connects says so where it was fallen to, for the server to count. Source: protocol, "Extensions".

function openWebSocket({ taskId, context, authorizer }: TransportLine, settings: ClientSettings, tell: Tell): () => void {
  const { routes, sockets, baseUrl } = settings;
  return authorizer.connect('ws', tell, (authorized) => {
    // Without sockets the chart has no tries for them.
    if (!sockets) return () => undefined;
    const extensions = ['gap', ...asked(authorized), ...(sockets.extensions ?? [])].join();
    const url = toWebSocketUrl(join(baseUrl, routes.webSocket(context), { extensions }));
    authorized.tell({ type: 'wire.asked' });
    return runWebSocket({ url, taskId, settings, sockets, ...authorized });
  });
}

function openEventStream(line: TransportLine, settings: ClientSettings, tell: Tell): () => void {
  const { taskId, context, authorizer } = line;
  const { routes, baseUrl, streams, held, tries } = settings;
  return authorizer.connect('sse', tell, (authorized) => {
    const { connection, authorization, signal } = authorized;
    const extensions = ['gap', ...asked(authorized), ...(line.hasFallen ? ['fallback'] : [])].join();
    const { parts } = connection;
    const cursor = connection.begunAfter;
    // A header of ours costs pages of another origin a preflight of its own; as a header more servers know it.
    const [query, header] = isForeign(baseUrl) ? ['lastEventId', ''] : ['', 'last-event-id'];
    const after = (name: string) => cursor !== null && name && { [name]: cursor };
    const url = join(baseUrl, routes.stream(taskId, context), { extensions, ...(parts && { parts }), ...after(query) });
    const headers = { ...after(header), ...authorization.headers };
    const alone = async (): Promise<void> => {
      const free = await held.take();
      try {
        if (signal.aborted) return;
        if (!free && tries.poll > 0) connection.lost(...impossible('NO_ROOM', 'As many requests are held open as may be.'));
        else {
          authorized.tell({ type: 'wire.asked' });
          await runEventStream({ url, settings, headers, signal }, connection);
        }
      } finally {
        free?.();
      }
    };
    if (!streams) return alone();
    authorized.tell({ type: 'wire.asked' });
    return streams.run({ ...authorized, taskId, context, extensions, settings, alone });
  });
}

/** What is asked for where parts are taken. */
function asked({ connection }: Authorized): readonly string[] {
  return connection.parts === undefined ? [] : ['parts'];
}

/** True in a page of another origin. */
function isForeign(baseUrl: string): boolean {
  const { location } = globalThis as { readonly location?: { readonly origin?: string } };
  return location?.origin !== undefined && !`${baseUrl}/`.startsWith(`${location.origin}/`);
}

/** A poll that may wait does so where it may be held open, and takes its turn where it may not. */
function openPoll(line: TransportLine, settings: ClientSettings, inTurn: PollTurns | false, tell: Tell): () => void {
  const { taskId, context, authorizer, decoder } = line;
  const { clock, held, limits, routes, baseUrl } = settings;
  return authorizer.connect('poll', tell, (authorized) => {
    const { begunAfter: cursor, parts } = authorized.connection;
    const extensions = [...asked(authorized), ...(line.hasFallen ? ['fallback'] : [])].join();
    const page = join(baseUrl, routes.events(taskId, context), {
      ...(cursor !== null && { afterEventId: cursor }),
      maxEvents: String(limits.pollEventsMax),
      // No server reads it: no cache, least of all a page's own, has the answer.
      at: String(clock.now()),
      ...(extensions && { extensions }),
      ...(parts && { parts }),
    });
    const ask = async (waitMs: number): Promise<void> => {
      if (authorized.signal.aborted) return;
      const url = `${page}&waitTimeoutMs=${waitMs}`;
      await runPoll({ url, settings, ...authorized, advance: (id) => decoder.advance(id), ended: () => decoder.end() });
    };
    return inTurn ? askHeld(inTurn) : ask(0);

    async function askHeld(turn: PollTurns): Promise<void> {
      const free = await held.take();
      try {
        await (free ? ask(limits.pollWaitMs) : turn(() => ask(0)));
      } finally {
        free?.();
      }
    }
  });
}

const unspoken: readonly string[] = ['REQUEST_REFUSED', 'SERVER_ERROR', 'INVALID_RESPONSE'] satisfies readonly ClientErrorCode[];

/** Asks the server whether the log has ended, once. */
async function settle({ decoder, probe }: TransportActorDeps, settings: ClientSettings, signal: AbortSignal): Promise<Settlement> {
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
    return {
      outcome: 'refused',
      status,
      // Codes of our own stand for an answer without one.
      ...(!unspoken.includes(code) && { code }),
      message,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...verdictOn(settings, error),
    };
  }
}

/** Asks for new credentials. What the provider throws is an outcome, with the host's word on it. */
async function refresh({ authorizer }: TransportLine, settings: ClientSettings, signal: AbortSignal) {
  try {
    return { outcome: await authorizer.refresh(signal) };
  } catch (error) {
    // Of an actor that was stopped nobody hears, and what it meets is no failure.
    return { outcome: 'failed' as const, error, ...(!signal.aborted && verdictOn(settings, error as TaskBridgeClientError)) };
  }
}

function delaysOf({ limits, chance, backoffMs }: ClientSettings) {
  return {
    reconnectBackoff: ({ context }: { context: ContextFrom<typeof transportMachine> }) =>
      Math.max(context.retryAfterMs, backoffMs(retryOf(context))),
    climbInterval: ({ context }: { context: ContextFrom<typeof transportMachine> }) =>
      climbMs(limits.climbIntervalMs, context, chance.fraction() - 0.5),
    // It has its own word within `openMs`; what is bounded here is how long it catches up.
    probeTimeout: limits.openMs + limits.livenessMs,
    provingTime: limits.provingMs,
  };
}

/** Tells the listener of each step down, and notes that there was one, or may be one, until what was fallen to is live. */
function watchFallbacks(actor: TransportActor, line: TransportLine, { listener }: ClientSettings): void {
  const { taskId, context } = line;
  let last = actor.getSnapshot().context.transport;
  actor.subscribe((snapshot) => {
    const { transport, probe } = snapshot.context;
    const fell = transport !== last && (transport === 'poll' || last === 'ws');
    if (fell && transport === 'sse') listener.onFallbackToSse?.({ taskId, context });
    if (fell && transport === 'poll') listener.onFallbackToPolling?.({ taskId, context });
    // What is asked beside a silent stream is what is fallen to, if it comes to that.
    if (fell || (probe !== null && !snapshot.hasTag('live'))) line.hasFallen = true;
    else if (transport !== last || snapshot.hasTag('live')) line.hasFallen = false;
    last = transport;
  });
}
