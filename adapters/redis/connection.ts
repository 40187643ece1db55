import { Command, type Cluster, type Redis } from 'ioredis';
import type { Clock } from '../../server/ports/index.ts';
import { commandFailure, isAnswer, noAnswer, plainText, type CommandFailure } from './command-failure.ts';
import { tagOfKey } from './keys.ts';
import type { Reconnection, Sent } from './reconnection.ts';
import { ScriptCommand } from './script-command.ts';
import type { Script } from './scripts/index.ts';
import { isCluster } from './tail/router.ts';
import { createTimeLimit } from './time-limit.ts';

/** What scripts are given: texts, and bytes as they are. */
export type Argument = string | Uint8Array;

/** Sends scripts to Redis over the host's client. */
export interface RedisConnection {
  /**
   * Runs a script where its keys are. Rejects with a `CommandFailure` after `commandTimeoutMs`, and for everything that Redis or the way to it
   * refuses; whether it ran is unknown then. Replies are bytes.
   */
  run(script: Script, keys: readonly string[], args?: readonly Argument[]): Promise<unknown>;
  /** Reads by a command itself, for a reply that is too large to go through a script. Undefined where the client would ask a replica, which may be behind. */
  readonly read: ((command: string, key: string, args: readonly string[]) => Promise<unknown>) | undefined;
  /** The failure of a part of a script, which stands in its reply and not in its place: the client has not seen it. */
  refusal(script: Script, keys: readonly string[], text: string): CommandFailure;
  /** Resolves when all that was sent has been answered. */
  settled(): Promise<void>;
}

/** What a connection works with. */
export interface ConnectionDeps {
  readonly redis: Redis | Cluster;
  readonly clock: Clock;
  readonly commandTimeoutMs: number;
  readonly reconnection: Reconnection;
}

/**
 * Commands are built here and not by the client's own methods: so they are never gathered by auto-pipelining, which slows scripts down, never
 * read from replicas, and get no prefix but ours.
 *
 * The client may send a script again by itself, after a reconnect or a redirection. That does no harm: every script that writes names the
 * revision or the request key that it is based on, and answers a conflict the second time. Counts are soft: what is sent twice is added twice.
 */
export function createConnection({ redis, clock, commandTimeoutMs, reconnection }: ConnectionDeps): RedisConnection {
  const limit = createTimeLimit(clock, commandTimeoutMs);

  const gather = gathering(redis);

  function send(name: string, subject: string, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const all: (string | Buffer)[] = [subject, String(keys.length), ...keys];
    for (const argument of args) all.push(asBuffer(argument));
    gather();
    return redis.sendCommand(new ScriptCommand(name, all)) as Promise<unknown>;
  }

  /** Tells what a rejection says of the connection, and gives it as ours. */
  function failureOf(name: string, error: unknown, sent: Sent): CommandFailure {
    const failure = commandFailure(name, error);
    if (error instanceof Error && isAnswer(error)) {
      const text = plainText(error.message);
      sent.refused(failure, text === error.message ? error : new Error(text), text === error.message);
      // The client's own `commandTimeout`, where a host has set one below ours.
    } else if (error instanceof Error && error.message === 'Command timed out') sent.unanswered();
    return failure;
  }

  /** Has what is asked end in time, and notes what its answer says of the connection. */
  function watched(
    name: string,
    key: string,
    ask: (answer: (reply: unknown) => void, refuse: (error: unknown) => void) => void,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const sent = reconnection.sent(tagOfKey(key));
      const done = limit.start(() => {
        sent.unanswered();
        reject(noAnswer(name, commandTimeoutMs));
      });
      const answer = (reply: unknown): void => {
        sent.answered();
        done();
        resolve(reply);
      };
      const refuse = (error: unknown): void => {
        done();
        reject(failureOf(name, error, sent));
      };
      ask(answer, refuse);
    });
  }

  return {
    run({ name, sha, lua }, keys, args = []) {
      return watched(name, keys[0] ?? '', (answer, refuse) => {
        send('evalsha', sha, keys, args).then(answer, (error: unknown) => {
          // New, restarted or flushed servers do not know it yet.
          if (error instanceof Error && error.message.startsWith('NOSCRIPT')) send('eval', lua, keys, args).then(answer, refuse);
          else refuse(error);
        });
      });
    },
    read: asksReplicas(redis)
      ? undefined
      : (command, key, args) =>
          watched(command, key, (answer, refuse) => {
            gather();
            (redis.sendCommand(new Command(command, [key, ...args])) as Promise<unknown>).then(answer, refuse);
          }),
    refusal({ name }, keys, text) {
      const error = new Error(plainText(text));
      const failure = commandFailure(name, error);
      reconnection.sent(tagOfKey(keys[0] ?? '')).refused(failure, error, false);
      return failure;
    },
    settled: () => limit.settled(),
  };
}

/** True for a client of a cluster that sends what only reads to replicas. */
function asksReplicas(redis: Redis | Cluster): boolean {
  return isCluster(redis) && (redis.options.scaleReads ?? 'master') !== 'master';
}

function asBuffer(argument: Argument): string | Buffer {
  if (typeof argument === 'string' || Buffer.isBuffer(argument)) return argument;
  return Buffer.from(argument.buffer, argument.byteOffset, argument.byteLength);
}

/**
 * Has all that one turn of the event loop sends go out in one write, which costs as much as the command that it carries. Only where there is one
 * socket: a cluster has many.
 */
function gathering(redis: Redis | Cluster): () => void {
  let gathered: Redis['stream'] | undefined;
  return () => {
    // None before the first connection; another one after each.
    const stream = 'stream' in redis ? (redis.stream as Redis['stream'] | undefined) : undefined;
    if (!stream || stream === gathered) return;
    gathered = stream;
    stream.cork();
    setImmediate(() => {
      if (gathered === stream) gathered = undefined;
      stream.uncork();
    });
  };
}
