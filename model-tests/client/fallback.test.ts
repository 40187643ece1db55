import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { completed, fact, TASK, writeEvents } from '../support/scripted-server.ts';
import { until } from '../support/until.ts';
import { createHarness, numbers, type Harness } from './harness.ts';

let world: Harness;
/** What each connection said in its query, in order. */
let said: string[];

beforeEach(async () => {
  world = await createHarness();
  said = [];
  const { script } = world.server;
  script.upgrade = ({ url }) => {
    said.push(`ws ${new URL(url ?? '', 'http://x').searchParams.get('extensions')}`);
    return 503;
  };
  script.stream = (response, { url }) => {
    said.push(`sse ${new URL(url ?? '', 'http://x').searchParams.get('extensions')}`);
    response.writeHead(503).end();
  };
  let polls = 0;
  script.poll = (query) => {
    said.push(`poll ${query.get('extensions')}`);
    polls += 1;
    return { taskId: TASK, events: [polls < 3 ? fact(polls) : completed(polls)], nextAfterEventId: `${polls}-1000`, hasMore: false };
  };
});
afterEach(() => world.close());

describe('a client that comes down', () => {
  test('says so with each try on the lower transport until that is live, so in one poll only', async () => {
    await numbers(world.client({ webSocketTries: 1, eventStreamTries: 2 }).observe(TASK));
    expect(said).toEqual(['ws gap,multiplex', 'sse gap,fallback', 'sse gap,fallback', 'poll fallback', 'poll null', 'poll null']);
  });

  test('says it again when it comes down again, and not on its way up', async () => {
    const clock = fakeClock();
    const { script } = world.server;
    const opened: (() => void)[] = [];
    script.stream = (response, { url }) => {
      said.push(`sse ${new URL(url ?? '', 'http://x').searchParams.get('extensions')}`);
      if (opened.length < 2) writeEvents(response, fact(opened.length + 1));
      else writeEvents(response, completed(3));
      opened.push(() => void response.destroy());
    };
    const observation = world.client({ clock, webSocketTries: 1, eventStreamTries: 2 }).observe(TASK);
    await until(observation, ({ connection }) => connection.state === 'live');
    // Lost on this transport, and found again there: nothing was come down to.
    opened[0]?.();
    await until(observation, ({ connection }) => connection.state === 'waiting');
    clock.advance(1_000);
    await until(observation, ({ connection, task }) => connection.state === 'live' && task.lastEventId === '2-1000');
    expect(said).toEqual(['ws gap,multiplex', 'sse gap,fallback', 'sse gap']);
    // A probe of the WebSocket fails beside the stream.
    clock.advance(30_000);
    await eventually(() => said.length === 4);
    opened[1]?.();
    await until(observation, ({ connection }) => connection.state === 'waiting');
    clock.advance(1_000);
    await until(observation, ({ connection }) => connection.state === 'done');
    expect(said.slice(3)).toEqual(['ws gap,multiplex', 'sse gap']);
  });
});

describe('a client whose host allows no higher transport', () => {
  test.each([
    [{ transports: ['poll'] as const }, ['poll null', 'poll null', 'poll null']],
    [{ webSocketTries: 0, eventStreamTries: 0 }, ['poll null', 'poll null', 'poll null']],
    [{ transports: ['sse', 'poll'] as const, eventStreamTries: 1 }, ['sse gap', 'poll fallback', 'poll null', 'poll null']],
  ])('comes down from none: %o', async (options, expected) => {
    const told: string[] = [];
    const listener = { onFallbackToSse: () => void told.push('sse'), onFallbackToPolling: () => void told.push('poll') };
    await numbers(world.client({ ...options, listener }).observe(TASK));
    expect(said).toEqual(expected);
    expect(told).toEqual(expected.some((line) => line.endsWith('fallback')) ? ['poll'] : []);
  });
});
