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
}

/** The two people whom the suite knows. */
export type Owner = 'one' | 'two';

/** What the suite has to know of a server's settings to test them in reasonable time. */
export interface ServerProfile {
  /** An idle stream of either kind is told so after that long, in milliseconds. Best below 1000. */
  readonly heartbeatMs: number;
  /** More facts than this are more than a log keeps: a task with so many is trimmed. Best below 3000. */
  readonly trimmedFromFacts: number;
  /** Largest JSON body, in bytes. Defaults to 1 MiB. */
  readonly bodyBytesMax?: number;
  /** How long the suite waits for something that is to come, in milliseconds. Defaults to 5000. */
  readonly patienceMs?: number;
}
