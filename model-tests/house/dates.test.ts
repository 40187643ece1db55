import { expect, test } from 'vitest';
import { dateReads } from './dates.ts';
import { parse, sourceFiles, textOfFile } from './project-files.ts';

/** Every published file that reads its machine's date, how often, and what it is a date of. All other waits are measured by monotonic time. */
const dates: Readonly<Record<string, readonly [reads: number, of: string]>> = {
  'server/ports/clock.ts': [5, 'the clocks themselves'],
  'server/task/store-clock.ts': [1, "the store's time until it is known"],
  'server/live/timer-queue.ts': [1, 'the end of credentials: what is left is measured once'],
  'server/live/poll.ts': [1, 'the end of credentials: what is left is measured once'],
  'server/http/credentials.ts': [1, 'the end of credentials'],
  'server/caller/fact-stream.ts': [1, 'the end of credentials'],
  'server/http/error-response.ts': [1, '`timestamp` of the envelope'],
  'server/http/sse/viewer.ts': [1, '`createdAt` of a frame'],
  'server/attachment-sweep.ts': [1, 'when a file was written; how long it has been without a task is measured beside'],
  'adapters/memory/attachments.ts': [1, 'when a file was written'],
  'adapters/memory/store.ts': [3, "the store's time, steady"],
  'adapters/memory/work.ts': [1, "the store's time, steady"],
  'adapters/memory/owners.ts': [1, "the store's time, steady"],
  'adapters/lmdb/store.ts': [3, "the store's time, steady"],
  'adapters/lmdb/owner-registry.ts': [2, "the store's time, steady"],
  'adapters/lmdb/work.ts': [1, "the store's time, steady"],
  'adapters/lmdb/owner.ts': [1, 'when a process began, for people'],
  'adapters/lmdb/heartbeat.ts': [1, 'when a file was written, for people'],
  'adapters/jwt/jwt-auth.ts': [1, '`exp` and `nbf` of a token'],
  'adapters/jwt/published-keys.ts': [1, 'when keys were fetched, beside `iat` of a token; how old they are is measured beside'],
  'adapters/temporal/executor.ts': [1, 'the deadline of a call, which its client takes as a date'],
  'client/clock.ts': [3, 'the clock itself, and where nothing else tells the time'],
  'client/auth/renewal.ts': [1, 'the end of credentials: what is left is measured once'],
  'client/observation/transport-actor.ts': [1, 'a number that no cache has an answer to'],
  'client/testing/scripted-answers.ts': [1, '`createdAt` of a frame'],
  'client/testing/scripted-world.ts': [1, '`createdAt` of a fact'],
  'client/outbox/outbox.ts': [1, 'when a command was added, which is stored'],
  'client/outbox/sender.ts': [2, 'when a command was added, which is stored'],
  'client/commands/answer.ts': [1, '`Retry-After`, where it is a date'],
};

test('every published file that reads the date of its machine says what it is a date of', () => {
  const published = sourceFiles().filter((name) => /^(machines|server|client|adapters)\//.test(name) && textOfFile(name).includes('.now('));
  const found = published.flatMap((name) => {
    const places = dateReads(parse(name));
    const known = dates[name]?.[0] ?? 0;
    return places.length === known ? [] : [`${places.join(', ') || name}: ${places.length} reads, ${known} known`];
  });
  expect(found, 'a wait is measured by `monotonicMs(clock)` or `timerAfter`; a date gets its line here').toEqual([]);
  expect(Object.keys(dates).filter((name) => !published.includes(name))).toEqual([]);
});

test.each(['clock.now();', 'this.#deps.clock.now();', 'this.#clock.now();', 'Date.now();'])('`%s` reads the date', (text) => {
  expect(dateReads(parse('x.ts', text))).toHaveLength(1);
});

test.each(['monotonicMs(clock);', 'performance.now();', 'time.now();', 'store.now();', 'unit.now;'])('`%s` does not', (text) => {
  expect(dateReads(parse('x.ts', text))).toEqual([]);
});
