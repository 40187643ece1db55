import { Command, type Redis } from 'ioredis';
import type { Logger } from '../../server/ports/index.ts';
import { codeOf, commandFailure, plainText } from './command-failure.ts';
import { buckets, type Keys } from './keys.ts';
import { listOf, textOf } from './reply.ts';
import { trial, trialCommands } from './scripts/index.ts';
import type { Router } from './tail/router.ts';
import { openSubscriberConnection } from './tail/subscriber-connection.ts';

/** What the check works with. */
export interface RightsDeps {
  readonly router: Router;
  readonly keys: Keys;
  readonly isCluster: boolean;
  readonly logger: Logger;
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
}

/** A command that was refused, and with which words. */
interface Refusal {
  readonly command: string;
  readonly text: string;
}

/**
 * Tries, on each master, everything that the store will ask of it: a right that lacks would else show hours later, as a fault of something else.
 * Throws, and names the commands, where one may not be run; warns where Redis takes no writes now, which passes.
 */
export async function checkRights({ router, keys, isCluster, logger, signal }: RightsDeps): Promise<void> {
  const placeOf = await router.places();
  const masters = new Map<string, { readonly client: Redis; readonly bucket: string }>();
  for (const bucket of isCluster ? buckets : buckets.slice(0, 1)) {
    const place = placeOf(bucket);
    if (place && !masters.has(place.name)) masters.set(place.name, { client: place.client, bucket });
  }
  for (const { client, bucket } of masters.values()) {
    const key = keys.trial(bucket);
    const refused = [...(await tryScripts(client, key, isCluster)), ...(await trySubscribing(client, key, isCluster, signal))];
    const forbidden = refused.filter(({ text }) => codeOf(text) === 'NOPERM');
    const [first] = forbidden;
    if (first) {
      const names = [...new Set(forbidden.map(({ command }) => command))].join(', ');
      throw new Error(`Redis does not let this user run ${names} (${first.text}). What it needs stands in the README of the Redis store.`);
    }
    const passing = refused.find(({ text }) => ['OOM', 'MISCONF', 'NOREPLICAS'].includes(codeOf(text) ?? ''));
    if (passing) logger.warn('Redis takes no writes now; until it does, they are refused.', { reason: passing.text });
    if (refused.some(({ text }) => codeOf(text) === 'READONLY'))
      throw new Error('The server is a replica and takes no writes: give redisStore a client that finds the master.');
  }
}

async function tryScripts(client: Redis, key: string, isCluster: boolean): Promise<Refusal[]> {
  const args = trialCommands(key, isCluster).flatMap((texts) => [String(texts.length), ...texts]);
  const refused: Refusal[] = [];
  for (const [name, subject] of [
    ['eval', trial.lua],
    ['evalsha', trial.sha],
  ] as const) {
    try {
      const reply = listOf(await client.sendCommand(new Command(name, [subject, '1', key, ...args]))).map(textOf);
      for (let at = 0; at < reply.length; at += 2) refused.push({ command: reply[at] ?? '', text: plainText(reply[at + 1] ?? '') });
    } catch (error) {
      const text = error instanceof Error ? plainText(error.message) : '';
      // Where the first was refused, Redis does not know it.
      if (codeOf(text) === 'NOSCRIPT') continue;
      if (codeOf(text) !== 'NOPERM') throw commandFailure(name.toUpperCase(), error);
      refused.push({ command: name.toUpperCase(), text });
    }
  }
  return refused;
}

async function trySubscribing(client: Redis, channel: string, isCluster: boolean, signal: AbortSignal): Promise<Refusal[]> {
  const refused: Refusal[] = [];
  signal.throwIfAborted();
  const connection = openSubscriberConnection(client, isCluster, {
    message: () => undefined,
    moved: () => undefined,
    ended: () => undefined,
  });
  signal.addEventListener('abort', connection.close, { once: true });
  const kind = isCluster ? 'S' : '';
  try {
    for (const [command, ask] of [
      [`${kind}SUBSCRIBE`, () => connection.subscribe([channel])],
      [`${kind}UNSUBSCRIBE`, () => connection.unsubscribe([channel])],
      ['PING', () => connection.ping()],
    ] as const) {
      try {
        await ask();
      } catch (error) {
        const text = error instanceof Error ? plainText(error.message) : '';
        if (codeOf(text) !== 'NOPERM') throw commandFailure(command, error);
        refused.push({ command, text });
      }
    }
    return refused;
  } finally {
    signal.removeEventListener('abort', connection.close);
    connection.close();
  }
}
