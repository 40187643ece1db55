import type { InspectionEvent, Observer } from 'xstate';
import { retryDelayMs, type Strategy, type Tries, type Classification } from '../machines/index.ts';
import { transportNames, type TransportName } from '../machines/wire/index.ts';
import type { AuthProvider, CallContext } from './auth/credentials.ts';
import { memoryCheckpoints, type CheckpointStore } from './checkpoints/store.ts';
import { platformChance, platformClock, type Chance, type Clock } from './clock.ts';
import { invalidArgument, type TaskBridgeClientError } from './errors.ts';
import { openGate, type Gate } from './gate.ts';
import { callHook, guardChanges, guardGate, guardListener, hookFault, safeInspect } from './hooks.ts';
import { readLimits, refuseNoNumber, refuseUnknown } from './known-options.ts';
import { optionNames } from './option-names.ts';
import type { TransportListener } from './listener.ts';
import { platformChanges, createNetwork, type Network, type NetworkChanges } from './network.ts';
import type { Origin } from './origin.ts';
import type { ClientReport } from './report.ts';
import { checkedRoutes, routesOf, type Routes } from './routes.ts';
import { directFetch } from './transports/direct-fetch.ts';
import { heldRequests, type HeldRequests } from './held-requests.ts';
import type { ClientParts, PartPort } from './observation/part-port.ts';
import type { EventStreamPort } from './transports/event-stream.ts';
import { platformForms, type FormPort } from './transports/form-port.ts';
import { multiplexed } from './transports/multiplexed.ts';
import { platformSockets, type SocketPort, type WebSocketConstructor } from './transports/socket.ts';

/** All that a client does on the network goes through these three. */
export interface Transports {
  readonly fetch: typeof fetch;
  /** Undefined where there are no WebSockets. */
  readonly sockets: SocketPort | undefined;
  /** For uploads that tell how far they came, where `fetch` cannot; undefined where nothing can. */
  readonly forms: FormPort | undefined;
}

/** All that a client may be told. Only `baseUrl` must be. */
export interface TaskBridgeClientOptions {
  /** Where the server is, without `/api/v1`, but with the path that this is below, if any: `https://example.org/backend`. */
  readonly baseUrl: string;
  /**
   * Defaults to the global one. Must stream bodies for server-sent events: that transport is not used where the global one does not (React
   * Native); one that is given here is believed to.
   */
  readonly fetch?: typeof fetch;
  /** Defaults to the global one. Without any, the transport is not used. All tasks share one socket where the server offers it. */
  readonly WebSocket?: WebSocketConstructor;
  /** WebSockets from elsewhere; wins over `WebSocket`. One for each task, unless they are `multiplexed`. */
  readonly sockets?: SocketPort;
  /** Where event streams come from, if not one for each task: `sharedStreams()` of `taskbridge/client/streams`. */
  readonly streams?: EventStreamPort;
  /** Where the text of parts goes: `taskParts()` of `taskbridge/client/parts`. Defaults to nowhere: then no server is asked for it. */
  readonly parts?: PartPort;
  /**
   * Places for streams and waiting polls; what finds none polls without waiting. Defaults to `limits.heldRequestsMax` for this client; `tabRequests()` of
   * `taskbridge/client/tabs` are those of all tabs together.
   */
  readonly heldRequests?: HeldRequests;
  /** Wraps what is used for the network: for tracing, signing, caching, tests. Called once, with the defaults filled in. */
  readonly intercept?: (transports: Transports) => Transports;
  /** Defaults to no credentials (cookies are sent as `fetch` sends them). */
  readonly auth?: AuthProvider;
  /** Handed to `auth`, `routes` and `listener` with each call and observation that brings none of its own. Defaults to none. */
  readonly context?: CallContext;
  /** `omit`, `same-origin` or `include` cookies. Defaults to `same-origin`, like `fetch`. */
  readonly cookies?: 'omit' | 'same-origin' | 'include';
  /** Defaults to memory. */
  readonly checkpoints?: CheckpointStore;
  /** Tells checkpoints of different users apart. Defaults to `''`. */
  readonly checkpointNamespace?: string;
  readonly clock?: Clock;
  readonly chance?: Chance;
  readonly gate?: Gate;
  /**
   * Tells when what is live may be dead without a word: it is tested at once, as it is when the gate opens again. Defaults to what a browser says
   * (`online`, a page that resumes).
   */
  readonly networkChanges?: NetworkChanges;
  /** What the server's paths begin with. Defaults to `/api/v1`. */
  readonly prefix?: string;
  /** Where the routes are, one by one, or all by `routesOf` of the server's own settings. Win over `prefix`. */
  readonly routes?: Partial<Routes>;
  /** Defaults to `progressive-sticky`. */
  readonly strategy?: Strategy;
  /** The transports that may be used, in any order. Defaults to all. */
  readonly transports?: readonly TransportName[];
  /** Tries in a row on a WebSocket; 0 = never use it. Defaults to 3. */
  readonly webSocketTries?: number;
  /** Tries in a row on server-sent events; 0 = never use them. Defaults to 3. */
  readonly eventStreamTries?: number;
  /** XState inspection: sees the transport chart, the task's and its suspensions'. */
  readonly inspect?: Observer<InspectionEvent> | ((event: InspectionEvent) => void);
  /** Told of what was survived: malformed frames, losses, a checkpoint store or a hook that failed. What it throws itself is dropped. */
  readonly onReport?: (report: ClientReport) => void;
  /**
   * An iterator does not show a question that was answered here before it came to it: by this client, or by an earlier one of the same
   * checkpoint store while the task had not ended. Defaults to false.
   */
  readonly hideAnswered?: boolean;
  /** Hooks on the wire. Called at once, so they must be quick; `onReport` is enough for most. */
  readonly listener?: Partial<TransportListener>;
  /**
   * Says of a refusal, a close, a network error or a failure of `auth` whether it passes; undefined for the protocol's own rule. `final` ends a command or an
   * observation, `retry` costs a try.
   */
  readonly classify?: (failure: TaskBridgeClientError) => Classification | undefined;
  /**
   * The rest before the next try, in milliseconds, by how often in a row that was tried again: 0, 1, 2 … Replaces `backoffBaseMs`,
   * `backoffMaxMs` and their jitter. A `Retry-After` of the server is never cut short.
   */
  readonly retryPolicy?: (retry: number) => number;
  /** True where `fetch` sends a stream as body. Defaults to where there is no `XMLHttpRequest`: browsers do so over HTTP/2 at most. */
  readonly streamsUploads?: boolean;
  /** The form's field that attachments are in: `attachments`, `attachment`, or what a server of your own reads. Defaults to `attachments`. */
  readonly attachmentField?: string;
  readonly limits?: Partial<ClientLimits>;
}

/** Numbers, with their units in the names. */
export interface ClientLimits {
  /** Until the confirmation, the first bytes of a body, or the first page. Defaults to 30000. */
  readonly openMs: number;
  /** A stream that said nothing for so long has a poll asked beside it. Defaults to 2000. */
  readonly silentMs: number;
  /** A stream that said nothing for so long while that poll was answered is left out for a while. Above `silentMs`. Defaults to 5000. */
  readonly muteMs: number;
  /** Silence that counts as a loss. Defaults to 60000. */
  readonly livenessMs: number;
  /** How long a poll asks the server to wait. Defaults to 25000. */
  readonly pollWaitMs: number;
  /** Facts of one page. Defaults to 100. */
  readonly pollEventsMax: number;
  /** Rest after an empty page. Defaults to 500. */
  readonly emptyPauseMs: number;
  /** A poll is given up that long after its wait is over. Defaults to 10000. */
  readonly pollGraceMs: number;
  /** Rest before the second try; doubled for each further one. Defaults to 500. */
  readonly backoffBaseMs: number;
  /** Longest such rest, before jitter of up to a fifth. Defaults to 5000. */
  readonly backoffMaxMs: number;
  /** Time to the first probe of a higher transport; doubled for each that fails, up to 5 minutes. Defaults to 30000. */
  readonly climbIntervalMs: number;
  /** A climbed transport that falls within this time counts as failed. Defaults to 60000. */
  readonly provingMs: number;
  /** Credentials of a live connection are renewed that long before their end, where the provider says when that is. Defaults to 30000. */
  readonly renewBeforeMs: number;
  /**
   * `auth` is given up that long after it was asked, and its signal aborts. Defaults to 10000, and is no longer than half of `openMs`; a
   * command's own time-out and signal go on meanwhile.
   */
  readonly credentialsMs: number;
  /** Longest `Retry-After` that is obeyed. Defaults to 60000. */
  readonly retryAfterMaxMs: number;
  /** A command is tried once, and again that often. Defaults to 3. */
  readonly commandRetriesMax: number;
  /** Time for one try of a command. Defaults to 30000. */
  readonly commandTimeoutMs: number;
  /**
   * Event streams and waiting polls at a time. Defaults to 4, of the six connections that a browser has to an origin over HTTP/1.1; in Node to
   * 1000. Over HTTP/2 there is no need to be so modest.
   */
  readonly heldRequestsMax: number;
  /** Facts that may wait for a slow consumer before reading stops. Defaults to 1000. */
  readonly undeliveredMax: number;
  /** The same in bytes. Defaults to 8 MiB. */
  readonly undeliveredBytesMax: number;
  /** Largest frame. Defaults to 8 MiB. */
  readonly frameBytesMax: number;
  /** Largest page, and largest answer of a command. Defaults to 16 MiB. */
  readonly pageBytesMax: number;
}

/** The numbers of a client that was told nothing. */
export const defaultClientLimits: ClientLimits = {
  openMs: 30_000,
  silentMs: 2_000,
  muteMs: 5_000,
  livenessMs: 60_000,
  pollWaitMs: 25_000,
  pollEventsMax: 100,
  emptyPauseMs: 500,
  pollGraceMs: 10_000,
  backoffBaseMs: 500,
  backoffMaxMs: 5_000,
  climbIntervalMs: 30_000,
  provingMs: 60_000,
  renewBeforeMs: 30_000,
  credentialsMs: 10_000,
  retryAfterMaxMs: 60_000,
  commandRetriesMax: 3,
  commandTimeoutMs: 30_000,
  heldRequestsMax: 4,
  undeliveredMax: 1_000,
  undeliveredBytesMax: 8 * 1024 * 1024,
  frameBytesMax: 8 * 1024 * 1024,
  pageBytesMax: 16 * 1024 * 1024,
};

/** Options, checked and complete. */
export interface ClientSettings extends Transports {
  readonly baseUrl: string;
  readonly auth: AuthProvider | undefined;
  readonly context: CallContext | undefined;
  readonly cookies: 'omit' | 'same-origin' | 'include';
  readonly checkpoints: CheckpointStore;
  readonly checkpointNamespace: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly gate: Gate;
  readonly network: Network;
  readonly origin: Origin;
  readonly routes: Routes;
  readonly streams: EventStreamPort | undefined;
  readonly parts: ClientParts | undefined;
  readonly held: HeldRequests;
  readonly strategy: Strategy;
  readonly tries: Tries;
  readonly inspect: TaskBridgeClientOptions['inspect'];
  readonly onReport: (report: ClientReport) => void;
  readonly hideAnswered: boolean;
  readonly listener: Partial<TransportListener>;
  readonly classify: TaskBridgeClientOptions['classify'];
  /** The rest before a retry, with jitter. */
  readonly backoffMs: (retry: number) => number;
  readonly streamsUploads: boolean;
  readonly attachmentField: string;
  readonly limits: ClientLimits;
}

/**
 * Checks the options once. `ownSockets` are those of the platform, where it has better ones than the global. Throws with code
 * `INVALID_ARGUMENT` and says what and why.
 */
export function readOptions(options: TaskBridgeClientOptions, ownSockets: SocketPort | undefined): ClientSettings {
  refuseUnknown(options, optionNames);
  const baseUrl = readBaseUrl(options.baseUrl);
  // A method called on another object than its own throws in browsers.
  const fetcher = options.fetch ?? globalThis.fetch?.bind(globalThis);
  if (!fetcher) refuse('There is no global fetch here: pass one as `fetch`.');
  if (options.auth !== undefined && typeof options.auth !== 'function')
    refuse('auth must be a function that gives a token, headers or nothing.');
  const limits = readLimits(options.limits, defaultClientLimits, 'commandRetriesMax');
  if (limits.pollWaitMs > 60_000)
    refuse(`limits.pollWaitMs (${limits.pollWaitMs}) must not be above 60000, the longest wait that a server allows.`);
  if (limits.pollEventsMax > 500)
    refuse(`limits.pollEventsMax (${limits.pollEventsMax}) must not be above 500, the largest page that a server gives.`);
  if (limits.muteMs <= limits.silentMs)
    refuse(
      `limits.muteMs (${limits.muteMs}) must be above limits.silentMs (${limits.silentMs}): what is asked beside a stream needs time.`,
    );
  const Constructor = options.WebSocket ?? (ownSockets ? undefined : globalThis.WebSocket);
  const sockets = options.sockets ?? (Constructor ? platformSockets(Constructor) : ownSockets);
  // A fetch of the host's own is not gone around.
  const forms = options.fetch ? undefined : platformForms();
  const plain: Transports = { fetch: fetcher, sockets, forms };
  const wrapped = options.intercept?.(plain) ?? plain;
  const transports = options.sockets || !wrapped.sockets ? wrapped : { ...wrapped, sockets: multiplexed(wrapped.sockets) };
  const tries = readTries(options, transports.sockets !== undefined, options.fetch !== undefined || streamsBodies());
  const chance = options.chance ?? platformChance;
  const { attachmentField = 'attachments' } = options;
  if (!attachmentField) refuse('attachmentField must name a field of a form.');
  const clock = options.clock ?? platformClock;
  const { networkChanges, ...hooks } = guardHooks(options, (retry) =>
    retryDelayMs({ baseMs: limits.backoffBaseMs, maxMs: limits.backoffMaxMs, jitter: 0.2 }, retry, chance.fraction()),
  );
  return {
    baseUrl,
    ...transports,
    fetch: directFetch(transports.fetch),
    auth: options.auth,
    context: options.context,
    cookies: options.cookies ?? 'same-origin',
    checkpoints: options.checkpoints ?? memoryCheckpoints(),
    checkpointNamespace: options.checkpointNamespace ?? '',
    clock,
    chance,
    network: createNetwork(hooks.gate, networkChanges),
    origin: { hasSpoken: false },
    // Who has moved the creates has moved the list with them, and who has moved tasks their removal.
    routes: checkedRoutes({
      ...routesOf({ prefix: options.prefix }),
      ...(options.routes?.tasks && { list: options.routes.tasks }),
      ...(options.routes?.task && { remove: options.routes.task }),
      ...options.routes,
    }),
    streams: options.streams,
    parts: options.parts?.open(clock),
    held: options.heldRequests ?? heldRequests(limits.heldRequestsMax),
    strategy: options.strategy ?? 'progressive-sticky',
    tries,
    hideAnswered: options.hideAnswered ?? false,
    ...hooks,
    streamsUploads: options.streamsUploads ?? !('XMLHttpRequest' in globalThis),
    attachmentField,
    limits,
  };
}

/** What the host gave to be called: none of it throws, and what it says is used as far as that goes. */
function guardHooks(
  { onReport: report, listener, classify, inspect, retryPolicy, gate = openGate, networkChanges }: TaskBridgeClientOptions,
  ownBackoffMs: (retry: number) => number,
): Pick<ClientSettings, 'onReport' | 'listener' | 'classify' | 'inspect' | 'backoffMs' | 'gate'> & {
  readonly networkChanges: NetworkChanges;
} {
  const onReport = (told: ClientReport): void =>
    callHook(
      () => report?.(told),
      () => undefined,
    );
  return {
    onReport,
    gate: guardGate(gate, hookFault(onReport, 'gate')),
    networkChanges: { subscribe: guardChanges(networkChanges ?? platformChanges(), hookFault(onReport, 'networkChanges')) },
    listener: listener ? guardListener(listener, onReport) : {},
    classify: classify && ((failure) => callHook(() => classify(failure), hookFault(onReport, 'classify'))),
    inspect: safeInspect(inspect, hookFault(onReport, 'inspect')),
    backoffMs(retry) {
      const ms = retryPolicy && callHook(() => retryPolicy(retry), hookFault(onReport, 'retryPolicy'));
      return ms !== undefined && ms >= 0 ? ms : ownBackoffMs(retry);
    },
  };
}

function refuse(message: string): never {
  throw invalidArgument(message);
}

function readBaseUrl(text: string): string {
  // Not by `URL`, of which React Native has a part.
  const baseUrl = String(text).trim().replace(/\/+$/, '');
  const [whole, port = ''] = /^https?:\/\/(?:\[[\da-f:.]+\]|[^\s:/?#@\\[\]<>^|%]+)(:\d{1,5})?(?:\/[^\s?#\\]*)?$/i.exec(baseUrl) ?? [];
  if (!whole || Number(port.slice(1)) > 65_535) {
    const shown = JSON.stringify(baseUrl.replace(/\/\/.*@/, '//…@'));
    refuse(
      `baseUrl must be like "https://example.org:8080/backend", without query, fragment, user or password (use \`auth\`), not ${shown}.`,
    );
  }
  return baseUrl;
}

function readTries(
  { transports, webSocketTries = 3, eventStreamTries = 3 }: TaskBridgeClientOptions,
  hasSockets: boolean,
  hasStreams: boolean,
): Tries {
  refuseNoNumber('webSocketTries', webSocketTries, 0);
  refuseNoNumber('eventStreamTries', eventStreamTries, 0);
  for (const name of transports ?? [])
    if (!transportNames.includes(name))
      refuse(`transports may name ${transportNames.map((one) => `"${one}"`).join(', ')}, not ${JSON.stringify(name)}.`);
  const may = (name: TransportName): boolean => transports?.includes(name) ?? true;
  const tries = {
    ws: may('ws') && hasSockets ? webSocketTries : 0,
    sse: may('sse') && hasStreams ? eventStreamTries : 0,
    poll: may('poll') ? 1 : 0,
  };
  if (tries.ws + tries.sse + tries.poll === 0)
    refuse(
      'No transport is left: check `transports`, `webSocketTries` and `eventStreamTries`, and that there is a WebSocket, or a `fetch` with body streams, where only that is allowed.',
    );
  return tries;
}

/** False in React Native, whose `fetch` answers when the whole body is there. */
function streamsBodies(): boolean {
  return !globalThis.Response || 'body' in Response.prototype;
}
