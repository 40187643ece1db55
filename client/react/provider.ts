import { createContext, createElement, useContext, useMemo, type ReactElement, type ReactNode } from 'react';
import type { TaskSnapshotResponse } from '../../machines/wire/index.ts';
import {
  idleSnapshot,
  platformClock,
  TaskBridgeClientError,
  type CallContext,
  type Clock,
  type ObservationSnapshot,
  type TaskBridgeClient,
} from '../index.ts';
import { createObservationPool, type ObservationPool } from './observation-pool.ts';
import { createStarts, type Starts } from './starts.ts';

/** What hooks work with: a client, the context of its calls, and its observations. */
export interface ProvidedClient {
  readonly client: TaskBridgeClient;
  readonly context: CallContext | undefined;
  readonly observations: ObservationPool;
  readonly starts: Starts;
  /** Goes by for what is observed by it. */
  readonly clock: Clock;
}

/** What was fetched of tasks before the page was drawn, by their ids. */
export type FetchedSnapshots = ReadonlyMap<string, ObservationSnapshot>;

/** What the provider is told. */
export interface TaskBridgeProviderProps {
  /** Made outside of components, and closed by whoever made it. */
  readonly client: TaskBridgeClient;
  /** Handed to `auth`, `routes` and `listener` with every call; keep it the same object from render to render. */
  readonly context?: CallContext;
  /** How long a task is observed after its last component left, in milliseconds. Defaults to 1000. Only the first use of a client counts. */
  readonly lingerMs?: number;
  /** Defaults to the machine's own. Only the first use of a client counts. */
  readonly clock?: Clock;
  /**
   * Answers of `client.get` that a server fetched: shown below until a task is observed, in what a server renders too. Keep it the same list from
   * render to render.
   */
  readonly snapshots?: readonly TaskSnapshotResponse[];
  readonly children?: ReactNode;
}

const LINGER_MS = 1_000;
const ProvidedContext = createContext<ProvidedClient | undefined>(undefined);
const nothing: FetchedSnapshots = new Map();
const FetchedContext = createContext<FetchedSnapshots>(nothing);

/** Gives a client to the hooks below. */
export function TaskBridgeProvider({ client, context, lingerMs, clock, snapshots, children }: TaskBridgeProviderProps): ReactElement {
  const provided = useMemo(() => provide(client, context, clock, lingerMs), [client, context, clock, lingerMs]);
  const fetched = useMemo(
    () => (snapshots ? new Map(snapshots.map((response) => [response.taskId, idleSnapshot(response)])) : nothing),
    [snapshots],
  );
  return createElement(ProvidedContext.Provider, { value: provided }, createElement(FetchedContext.Provider, { value: fetched }, children));
}

/** What the provider was given of tasks. */
export function useFetched(): FetchedSnapshots {
  return useContext(FetchedContext);
}

/** The client to use: the one given, else that of the provider. Throws with code `INVALID_ARGUMENT` where there is neither. */
export function useTaskBridge(given?: TaskBridgeClient): ProvidedClient {
  const provided = useContext(ProvidedContext);
  if (given && given !== provided?.client) return provide(given);
  if (provided) return provided;
  throw new TaskBridgeClientError(
    'INVALID_ARGUMENT',
    'There is no client: wrap the page in <TaskBridgeProvider client={…}>, or hand one in.',
  );
}

/** One for each client and context, wherever it is used: components in different trees share their observations too. */
const providedClients = new WeakMap<TaskBridgeClient, Map<CallContext | undefined, ProvidedClient>>();

function provide(client: TaskBridgeClient, context?: CallContext, clock: Clock = platformClock, ms: number = LINGER_MS): ProvidedClient {
  const known = providedClients.get(client) ?? new Map<CallContext | undefined, ProvidedClient>();
  providedClients.set(client, known);
  const provided = known.get(context) ?? {
    client,
    context,
    clock,
    observations: createObservationPool(client, context, { clock, ms }),
    starts: createStarts(),
  };
  known.set(context, provided);
  return provided;
}
