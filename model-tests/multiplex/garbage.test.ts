import fc from 'fast-check';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { multiplexed } from 'taskbridge/client/transports';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../support/seeded-random.ts';
import { consume } from './bridge-fixture.ts';
import { misbehavingServer, taskName, type Misbehaviour } from './misbehaving-server.ts';
import { patience } from '../support/patience.ts';

const TASKS = 6;
const FACTS = 30;

const taskIndex = fc.nat(TASKS - 1);
/** Frames that look like the protocol's but are not whole. None of them is a fact that could be taken for one, nor an honest gap. */
const nearly = fc
  .record(
    {
      type: fc.constantFrom(
        'TASK_MESSAGE',
        'TASK_COMPLETED',
        'GAP',
        'HEARTBEAT',
        'EXTENSIONS_GRANTED',
        'SUBSCRIPTION_CONFIRMED',
        '',
        7,
        null,
      ),
      taskId: fc.oneof(taskIndex.map(taskName), fc.constantFrom('', 'task-x', 7, null, '__proto__', 'constructor')),
      reason: fc.constantFrom('', 'no reason', 3),
      extensions: fc.constantFrom([], ['gap'], 'multiplex', null),
      payload: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((frame) => JSON.stringify(frame));
const misbehaviour: fc.Arbitrary<Misbehaviour> = fc.oneof(
  fc.oneof(fc.string(), fc.json(), nearly).map((text): Misbehaviour => ({ kind: 'frame', text })),
  fc.constant<Misbehaviour>({ kind: 'frame', text: undefined }),
  fc.record({ kind: fc.constant('end' as const), task: taskIndex, code: fc.constantFrom(1000, 1006, 1011, 1013, 'x', null, {}) }),
  fc.record({ kind: fc.constant('stray' as const), task: taskIndex }),
  fc.record({ kind: fc.constant('jump' as const), task: taskIndex, by: fc.integer({ min: -10, max: 10 }) }),
  fc.constant<Misbehaviour>({ kind: 'cut' }),
  fc.record({ kind: fc.constant('close' as const), code: fc.constantFrom(1000, 1001, 1011, 1012, 1013) }),
);

describe('garbage on a shared socket', () => {
  test('loses, repeats and reorders no fact of any task, and leaves nothing behind', { timeout: patience(120_000) }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(misbehaviour, { maxLength: 40 }), fc.nat(), async (acts, seed) => {
        const random = seededRandom(seed);
        const server = misbehavingServer(TASKS, FACTS, acts, random.below);
        const client = createTaskBridgeClient({
          baseUrl: 'http://host.test',
          sockets: multiplexed(server),
          // A server without the snapshot: every clean close is a loss.
          fetch: async () => new Response('{"code":"NOT_FOUND"}', { status: 404 }),
          transports: ['ws'],
          chance: random,
          limits: { backoffBaseMs: 1, backoffMaxMs: 2 },
        });
        const readers = Array.from({ length: TASKS }, (_, i) => consume(client.observe(taskName(i), { lastEventId: '' })));
        await Promise.all(readers.map(({ over }) => over));
        const whole = Array.from({ length: FACTS }, (_, i) => `${i + 1}-1000`);
        for (const { ids } of readers) expect(ids).toEqual(whole);
        await client.close();
        expect(server.live).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
