import type { Redis } from 'ioredis';

/** One connection that hears what is published on one server. It is not renewed: where it is lost, another one takes its place. */
export interface SubscriberConnection {
  /** Resolves when all of these channels are heard; on a cluster they are of one slot. */
  subscribe(channels: readonly string[]): Promise<void>;
  /** Resolves when none of these channels is heard. */
  unsubscribe(channels: readonly string[]): Promise<void>;
  /** Resolves when the server answers. */
  ping(): Promise<void>;
  /** Ends it, and rejects what it has not answered: a server that is silent does not. */
  close(): void;
}

/** What a connection tells. */
export interface SubscriberListener {
  message(channel: string, message: Buffer): void;
  /** The server no longer tells of some channels: their slot has moved. */
  moved(): void;
  /** The connection is gone, with everything that it heard. */
  ended(error: Error | undefined): void;
}

/** Opens a connection with the options of the host's own client. */
export function openSubscriberConnection(client: Redis, isSharded: boolean, listener: SubscriberListener): SubscriberConnection {
  let failure: Error | undefined;
  const redis = client.duplicate({
    // Channels are named by us.
    keyPrefix: '',
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: false,
    // Nothing about it is read only, and a connection that waits in silence is not a dead one.
    readOnly: false,
    enableOfflineQueue: true,
    enableReadyCheck: false,
    lazyConnect: false,
    retryStrategy: null,
  });
  const waiting = new Set<(error: Error) => void>();
  /** An answer, or the close of the connection. */
  const answered = (answer: Promise<unknown>): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (done: () => void) => (): void => {
        waiting.delete(reject);
        done();
      };
      waiting.add(reject);
      answer.then(settle(resolve), (error: Error) => settle(() => reject(error))());
    });
  redis.on('error', (error: Error) => (failure = error));
  redis.on('end', () => listener.ended(failure));
  redis.on('moved', () => listener.moved());
  redis.on(isSharded ? 'smessageBuffer' : 'messageBuffer', (channel: Buffer, message: Buffer) =>
    listener.message(channel.toString('latin1'), message),
  );

  return {
    subscribe: (channels) => answered(isSharded ? redis.ssubscribe(...channels) : redis.subscribe(...channels)),
    unsubscribe: (channels) => answered(isSharded ? redis.sunsubscribe(...channels) : redis.unsubscribe(...channels)),
    ping: () => answered(redis.ping()),
    close() {
      redis.removeAllListeners();
      redis.on('error', () => undefined);
      redis.disconnect();
      for (const reject of waiting) reject(new Error('The connection to Redis was closed.'));
    },
  };
}
