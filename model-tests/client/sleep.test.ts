import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { Clock } from 'taskbridge/client';
import { fakeClock } from '../support/fake-clock.ts';
import { completed, fact, snapshotAt, TASK } from '../support/scripted-server.ts';
import { createHarness, type Harness } from './harness.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

const DAYS_MS = 3 * 24 * 60 * 60 * 1000;
const refusal = (code: string): object => ({ code, message: `It is ${code}.`, details: {}, timestamp: '2026-01-01T00:00:00Z' });

/** What the server has to say after three days, by its WebSocket, to who comes with newer credentials and his cursor. */
type Later = 'ended' | 'trimmed' | 'removed';

/** Watches two facts, sleeps for three days with a socket that is dead, and wakes: timers come late, and the token has ended. */
async function sleep(later: Later) {
  const { script, seen } = world.server;
  const clock = fakeClock();
  // Timers stand still while it sleeps; both its clocks have gone on when it wakes.
  let sleptMs = 0;
  const waking: Clock = { ...clock, now: () => clock.now() + sleptMs, monotonic: () => clock.now() + sleptMs };
  let isLater = false;
  let tokens = 0;
  const refused: string[] = [];
  const cursors: (string | null)[] = [];
  script.upgrade = ({ headers }) => {
    if (!isLater || headers.authorization === 'Bearer 2')
      return later === 'removed' && isLater ? [404, refusal('TASK_NOT_FOUND')] : undefined;
    refused.push(String(headers.authorization));
    return [401, refusal('AUTHENTICATION_ERROR')];
  };
  script.snapshot = () => snapshotAt('9-1000', 'completed', { result: 'all' });
  script.subscribed = ({ lastEventId, confirm, send }) => {
    cursors.push(lastEventId);
    confirm(['gap']);
    if (!isLater) return send(fact(1), fact(2));
    if (later === 'trimmed') send({ type: 'GAP', taskId: TASK, reason: 'trimmed', firstEventId: '8-1000' }, fact(8), completed(9));
    else send(fact(3), completed(4));
  };
  const auth = ({ forceRefresh }: { readonly forceRefresh: boolean }): string => {
    if (forceRefresh || tokens === 0) tokens += 1;
    return String(tokens);
  };
  const client = world.client({ clock: waking, auth, transports: ['ws'] });
  const observation = client.observe(TASK);
  const ids: string[] = [];
  const done = (async () => {
    for await (const { eventId } of observation) ids.push(eventId);
  })();
  done.catch(() => undefined);
  await eventually(() => ids.length === 2);
  isLater = true;
  sleptMs = DAYS_MS;
  // The socket is dead, and what it rests is over.
  clock.advance(60_000);
  await eventually(() => (clock.advance(100), seen.filter((kind) => kind === 'ws').length >= 3));
  return { observation, ids, done, refused, cursors };
}

describe('a client that wakes after three days', () => {
  test('goes on from its cursor with a new token, to the end of a task that has ended meanwhile', async () => {
    const { ids, done, refused, cursors, observation } = await sleep('ended');
    await done;
    expect(ids).toEqual(['1-1000', '2-1000', '3-1000', '4-1000']);
    expect([refused, cursors]).toEqual([['Bearer 1'], [null, '2-1000']]);
    expect(observation.getSnapshot()).toMatchObject({ connection: { state: 'done', continuity: 'resumed' }, task: { state: 'completed' } });
  });

  test('says that facts are gone where the log was trimmed meanwhile, and has the whole task', async () => {
    const { ids, done, observation } = await sleep('trimmed');
    await done;
    expect(ids).toEqual(['1-1000', '2-1000', '8-1000', '9-1000']);
    expect(observation.getSnapshot()).toMatchObject({ connection: { state: 'done', continuity: 'gap' }, task: { state: 'completed' } });
  });

  test('ends by the server’s word where the task was removed meanwhile', async () => {
    const { ids, done, observation } = await sleep('removed');
    await expect(done).rejects.toMatchObject({ code: 'TASK_NOT_FOUND', status: 404 });
    expect(ids).toEqual(['1-1000', '2-1000']);
    expect(observation.getSnapshot().connection.state).toBe('failed');
  });
});
