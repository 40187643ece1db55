import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { completed, fact, facts, snapshotAt, TASK } from '../support/scripted-server.ts';
import { createHarness, numbers, type Harness } from './harness.ts';

let world: Harness;
beforeEach(async () => {
  world = await createHarness();
});
afterEach(() => world.close());

const page = (events: readonly object[], next: string | null, more: object = {}): object => ({
  taskId: TASK,
  events,
  nextAfterEventId: next,
  hasMore: false,
  terminal: false,
  ...more,
});
const last = (): object => page([fact(4), completed(5)], '5-1000', { terminal: true });

/** Answers each poll with the same page, so many times, and then as it should. */
function cached(same: object, times: number): void {
  let asked = 0;
  world.server.script.poll = () => ((asked += 1), asked <= times ? same : last());
}

describe('a cache that answers every poll with one page', () => {
  test.each<[name: string, page: object, told: number]>([
    ['of facts', page(facts(1, 3), '3-1000'), 5],
    ['of facts, with more to come', page(facts(1, 3), '3-1000', { hasMore: true }), 5],
    ['of a history that was replaced', page(facts(1, 3), '3-1000', { gap: { reason: 'reset', firstEventId: '1-1000' } }), 5],
  ])('%s, costs tries and is told of: no fact comes twice, and those behind it come when it is gone', async (_name, same, told) => {
    cached(same, told + 1);
    world.server.script.snapshot = () => snapshotAt('3-1000');
    const reasons: string[] = [];
    const client = world.client({
      transports: ['poll'],
      onReport: (report) => void (report.type === 'lost' && reasons.push(report.reason)),
    });
    expect(await numbers(client.observe(TASK))).toEqual([1, 2, 3, 4, 5]);
    expect(reasons).toEqual(Array.from({ length: told }, () => 'a page that does not follow its cursor'));
  });

  test('without facts, of an older cursor, costs tries too', async () => {
    cached(page([], '2-1000'), 3);
    const reasons: string[] = [];
    const client = world.client({
      transports: ['poll'],
      onReport: (report) => void (report.type === 'lost' && reasons.push(report.reason)),
    });
    expect(await numbers(client.observe(TASK, { lastEventId: '3-1000' }))).toEqual([4, 5]);
    expect(reasons).toHaveLength(3);
  });

  test('says nothing of a stream beside which it is asked: that is not left out as mute', async () => {
    const { script, seen } = world.server;
    cached(page(facts(1, 3), '3-1000'), 1_000);
    let confirmed: (() => void) | undefined;
    script.subscribed = ({ confirm, send }) => (confirmed = () => (confirm(), send(...facts(4, 4), completed(5))));
    const reasons: string[] = [];
    const client = world.client({
      transports: ['ws', 'poll'],
      limits: { silentMs: 5, muteMs: 6 },
      onReport: (report) => {
        if (report.type !== 'lost') return;
        reasons.push(`${report.transport}: ${report.reason}`);
        confirmed?.();
      },
    });
    expect(await numbers(client.observe(TASK, { lastEventId: '3-1000' }))).toEqual([4, 5]);
    expect(reasons).toEqual(['poll: a page that does not follow its cursor']);
    expect(seen.filter((kind) => kind === 'ws')).toHaveLength(1);
  });

  test('is not seen where a page has more than its cursor asked for', async () => {
    world.server.script.poll = () => page([...facts(1, 4), completed(5)], '5-1000', { terminal: true });
    const client = world.client({ transports: ['poll'] });
    expect(await numbers(client.observe(TASK, { lastEventId: '3-1000' }))).toEqual([4, 5]);
  });
});
