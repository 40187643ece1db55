import type { DialectName } from './dialects.ts';

/** Who is watched, and by how many. */
export interface Audience {
  readonly dialect: DialectName;
  readonly port: number;
  /** Where the system takes its orders. */
  readonly control: number;
  /** Viewers are spread over them. */
  readonly tasks: readonly string[];
  readonly viewers: number;
  /** From where they go on; where nothing is said, from the beginning. */
  readonly cursor?: string;
}

/** Facts delivered, to all viewers together. */
export interface BurstResult {
  readonly messages: number;
  readonly ms: number;
  /** Processor time of the system, in microseconds. */
  readonly cpuUs: number;
}

/** Milliseconds from the order to report a fact until a viewer has it. */
export interface PacedResult {
  readonly p50: number;
  readonly p99: number;
  readonly received: number;
  readonly expected: number;
  /** Frames of text that came, to all viewers together. */
  readonly frames: number;
}

/** Clients that come back together. */
export interface Reconnection {
  readonly dialect: DialectName;
  readonly port: number;
  readonly taskId: string;
  readonly cursor: string;
  readonly clients: number;
  /** Facts that each of them missed. */
  readonly missed: number;
}

/** Requests, each on one of the connections, one after the other. */
export interface Requests {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly ms: number;
  /** What each answer has to hold. */
  readonly expects: string;
}

/** Tasks to be created, each on one of the connections, one after the other. */
export interface Creates {
  readonly port: number;
  readonly taskType: string;
  readonly connections: number;
  readonly tasks: number;
}

/** Requests that each send JSON to a path of its own, each on one of the connections, one after the other. */
export interface Posts {
  readonly port: number;
  readonly connections: number;
  readonly requests: readonly { readonly path: string; readonly body: string }[];
  readonly status: string;
  /** What each answer has to hold. */
  readonly expects: string;
}

/** A client that joins late, again and again: each on a connection of its own, which is there before. */
export interface LateJoins {
  readonly port: number;
  /** In turn. */
  readonly taskIds: readonly string[];
  readonly times: number;
  /** With what all that it lacks ends. */
  readonly end: string;
}

/** What the process that plays all clients can be told. */
export interface Load {
  /** Opens an audience; the one before is closed. */
  open(audience: Audience): Promise<null>;
  /** Has facts reported, at most `window` on their way, until the time is over and all have arrived. */
  burst(load: { readonly window: number; readonly ms: number }): Promise<BurstResult>;
  /** Has facts reported at a steady pace. */
  paced(load: { readonly perSecond: number; readonly ms: number }): Promise<PacedResult>;
  /** From now on, times whatever says when it was said, over all viewers. */
  listen(nothing: null): null;
  /** Waits until so many of them have come. */
  heard(load: { readonly expected: number }): Promise<PacedResult>;
  /** Milliseconds from the frame that subscribes until the last byte, the median. */
  join(load: LateJoins): Promise<number>;
  /** Milliseconds from the first connection until the last client has what it missed. */
  resume(load: Reconnection): Promise<number>;
  /** Clients of Socket.IO that were there, lost their connection, and missed what `fill` emits, come back. */
  recover(load: Omit<Reconnection, 'dialect' | 'cursor'> & { readonly control: number }): Promise<number>;
  requests(load: Requests): Promise<{ readonly requests: number; readonly ms: number }>;
  /** Milliseconds from the first request until the last answer. */
  creates(load: Creates): Promise<number>;
  /** Milliseconds from the first request until the last answer. */
  posts(load: Posts): Promise<number>;
  close(nothing: null): null;
}
