import { describe, expect, test } from 'vitest';
import type { LiveHub } from '../../server/live/hub.ts';
import { grantedExtensions, socketExtensions } from '../../server/live/extensions.ts';
import { liveDefaults } from '../../server/live/options.ts';
import type { TransportName } from '../../server/ports/index.ts';
import { fakeViewer, hubFixture, quiesce } from './hub-fixture.ts';
import { taskLog } from './task-log.ts';

async function watched() {
  const told: unknown[] = [];
  const counts: unknown[] = [];
  const tell =
    (what: string) =>
    (...args: readonly unknown[]) =>
      void told.push([what, ...args]);
  const fixture = await hubFixture({
    diagnostics: { onReplayStart: tell('replay'), onHeartbeat: tell('beat'), onDelivery: tell('fact'), onDisconnect: tell('gone') },
    metrics: { incrementCounter: (name, _value, tags) => void counts.push([name, tags?.['transport']]), setGauge: () => undefined },
  });
  return { ...fixture, told, counts, task: await taskLog(fixture.store) };
}

const poll = (hub: LiveHub, taskId: string, more: Partial<Parameters<LiveHub['poll']>[1]> = {}) =>
  hub.poll(taskId, { owner: 'ann', waitMs: 0, maxEvents: 100, ...more });

describe.each<TransportName>(['ws', 'sse'])('the diagnostics of %s', (transport) => {
  test('hear of its replay, each fact, each heartbeat and its end', async () => {
    const { hub, clock, told, counts, task } = await watched();
    await task.append(2);
    const subscription = hub.subscribe(task.taskId, fakeViewer(clock, transport), task.ids[0]);
    await quiesce();
    await task.append(1);
    await quiesce();
    clock.advance(transport === 'sse' ? liveDefaults.sseHeartbeatMs : liveDefaults.heartbeatMs);
    subscription.close();
    subscription.close();
    expect(told).toEqual([
      ['replay', transport, task.taskId, task.ids[0]],
      ['fact', transport, task.taskId, task.ids[1]],
      ['fact', transport, task.taskId, task.ids[2]],
      ['beat', transport, task.taskId],
      ['gone', transport, task.taskId],
    ]);
    expect(counts).toEqual([['replays_total', transport]]);
  });
});

describe('the diagnostics of poll', () => {
  test('hear of its replay and of each fact of the page, and of no heartbeat and no end', async () => {
    const { hub, told, counts, task } = await watched();
    await task.append(3);
    await poll(hub, task.taskId, { after: task.ids[0] });
    await poll(hub, task.taskId, { maxEvents: 1 });
    expect(told).toEqual([
      ['replay', 'poll', task.taskId, task.ids[0]],
      ['fact', 'poll', task.taskId, task.ids[1]],
      ['fact', 'poll', task.taskId, task.ids[2]],
      ['replay', 'poll', task.taskId, null],
      ['fact', 'poll', task.taskId, task.ids[0]],
    ]);
    // The second began at the beginning.
    expect(counts).toEqual([['replays_total', 'poll']]);
  });

  test('hear that a caller was gone before its answer, which is counted as nothing', async () => {
    const { hub, told, counts, task } = await watched();
    const gone = new AbortController();
    await task.append(1);
    const asked = poll(hub, task.taskId, { after: task.ids[0], waitMs: 10_000, extensions: 'fallback', signal: gone.signal });
    await quiesce();
    gone.abort();
    await asked;
    expect(told).toEqual([
      ['replay', 'poll', task.taskId, task.ids[0]],
      ['gone', 'poll', task.taskId],
    ]);
    expect(counts).toEqual([]);
  });

  test('do not hear of a poll that is refused as of one that was answered', async () => {
    const { hub, counts } = await watched();
    await expect(poll(hub, 'f'.repeat(32), { after: '1-1', extensions: 'fallback' })).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    expect(counts).toEqual([]);
  });
});

test.each([
  ['fallback', 1],
  ['gap, fallback', 1],
  ['fallbacks', 0],
  ['', 0],
  [undefined, 0],
])('a poll that says %o is counted as come down %i times', async (extensions, times) => {
  const { hub, counts, task } = await watched();
  await task.append(1);
  await poll(hub, task.taskId, { extensions });
  expect(counts).toEqual(Array.from({ length: times }, () => ['fallbacks_total', 'poll']));
});

test('that a client came down is never granted', () => {
  expect(grantedExtensions('gap,fallback')).toEqual(['gap']);
  expect(grantedExtensions('fallback', socketExtensions)).toEqual([]);
});
