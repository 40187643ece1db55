import type { RedisConnection } from './connection.ts';
import { gatherCalls, type GatheredCall } from './call-batch.ts';
import { integerOf } from './reply.ts';
import type { Script } from './scripts/index.ts';

/** What became of a commit. */
export type Appended = 'committed' | 'conflict' | 'lease changed' | 'lane there';

/** The answers of the script. */
const answers: readonly Appended[] = ['conflict', 'committed', 'lease changed', 'lane there'];

/** Writes a commit. Rejects where the outcome is unknown. */
export type Appender = (call: GatheredCall) => Promise<Appended>;

/** Commits of one turn of the event loop travel in one call. */
export function createAppender(connection: RedisConnection, script: Script): Appender {
  return gatherCalls(connection, script, (given) => {
    const reply = integerOf(given);
    return reply === undefined ? undefined : answers[reply];
  });
}
