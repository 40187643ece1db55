import type { Closable } from '../suite/run.ts';

/** A server under test. It has to run the tasks of the contract, see the README of this folder or `contractWork`. */
export interface ServerUnderTest extends Closable {
  /** `http://host:port`, without the prefix and without a slash at its end. */
  readonly baseUrl: string;
  /** What all its paths begin with. Defaults to `/api/v1`. */
  readonly prefix?: string;
  /** The headers that make a request one of this owner's. The two owners are different people who may both create tasks. */
  readonly credentials: (owner: Owner) => Readonly<Record<string, string>>;
  readonly profile: ServerProfile;
  /** What browsers may do. Without it, what is about their pages does not apply. */
  readonly browser?: BrowserAccess;
  /**
   * Ends the host in order, as its process does on SIGTERM, and starts it again at the same address on the same store. Resolves when it
   * answers again. Without it, what is about shutdown does not apply. No other case runs meanwhile.
   */
  readonly restart?: () => Promise<void>;
  /**
   * Makes the store fail at everything from here on, as one that is out of reach does, until the function that it gives is called. No other
   * case runs meanwhile.
   */
  readonly loseStore?: () => Promise<() => Promise<void>>;
}

/** How a host knows the callers from a browser. */
export interface BrowserAccess {
  /** The token that speaks for this owner after `Authorization: Bearer ` and in the subprotocol of a WebSocket. */
  readonly token?: (owner: Owner) => string;
  /** The cookie that speaks for this owner, `name=value`. */
  readonly cookie?: (owner: Owner) => string;
  /** An origin that the host was told to allow. */
  readonly allowedOrigin?: string;
}

/** The two people whom the suite knows. */
export type Owner = 'one' | 'two';

/** What the suite has to know of a server's settings to test them in reasonable time. */
export interface ServerProfile {
  /** An idle stream of either kind is told so after that long, in milliseconds. Best below 1000. */
  readonly heartbeatMs: number;
  /** More facts than this are more than a log keeps: a task with so many is trimmed. Best below 3000; 260 have to be kept. */
  readonly trimmedFromFacts: number;
  /** Largest JSON body, in bytes. Defaults to 1 MiB. */
  readonly bodyBytesMax?: number;
  /** Largest uploaded file, in bytes. Best below 1 MiB; above 10 MiB it is not tried. */
  readonly uploadBytesMax?: number;
  /** Largest frame of a WebSocket client, in bytes. Defaults to 64 KiB. */
  readonly clientFrameBytesMax?: number;
  /** A WebSocket that has no subscription is closed after that long, in milliseconds. Best 1000; above 5000 it is not waited for. */
  readonly subscribeMs?: number;
  /** Most tasks of one WebSocket with the extension `multiplex`. At least 8, best below 20; above 300 it is not tried. */
  readonly tasksPerSocketMax?: number;
  /** Most WebSockets of one owner. From 150 on the storm of reconnects finds room; above 1000 it is not tried. */
  readonly socketsPerOwnerMax?: number;
  /** Most viewers and waiting polls of the server. From 300 on the storm of reconnects finds room; above 1000 it is not tried. */
  readonly viewersMax?: number;
  /** Most viewers and waiting polls of one owner. From 200 on the storm of reconnects finds room; above 1000 it is not tried. */
  readonly viewersPerOwnerMax?: number;
  /** A task type that the executor takes to be its own, and refuses to start. */
  readonly refusedType?: string;
  /** How long the suite waits on an idle machine for something that is to come, in milliseconds; on a slow one longer. Defaults to 5000. */
  readonly patienceMs?: number;
}
