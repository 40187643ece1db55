import { describe, expect, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import { createTaskBridge } from '../../server/index.ts';
import { EventLoopMonitor } from '../../server/observability/event-loop-monitor.ts';
import { GaugeSampler, type Gauged } from '../../server/observability/gauge-sampler.ts';
import { StoredTasks } from '../../server/observability/stored-tasks.ts';
import { fakeClock } from '../support/fake-clock.ts';

function sink() {
  const told: string[] = [];
  const setGauge = (name: string, value: number, tags: Readonly<Record<string, string>> = {}): void =>
    void told.push(`${[name, ...Object.values(tags)].join(' ')} ${value}`);
  return { told, metrics: { setGauge, incrementCounter: () => undefined } };
}
const viewersOf = (phase: string, value: number): Gauged => ({ name: 'viewers', tags: { transport: 'ws', phase }, value });

describe('the gauges of a process', () => {
  test('are set again and again, what is not there any more to 0, and once more at the end', () => {
    const { told, metrics } = sink();
    const clock = fakeClock();
    let now: readonly Gauged[] = [viewersOf('level', 2)];
    const sampler = new GaugeSampler({ metrics, clock, everyMs: 1000, look: () => now });
    sampler.close();
    expect(told).toEqual([]);
    sampler.start();
    now = [viewersOf('behind', 1)];
    clock.advance(999);
    expect(told).toEqual(['viewers ws level 2']);
    clock.advance(1);
    expect(told.slice(1)).toEqual(['viewers ws behind 1', 'viewers ws level 0']);
    now = [];
    sampler.close();
    expect(told.slice(3)).toEqual(['viewers ws behind 0']);
    clock.advance(10_000);
    expect(told).toHaveLength(4);
  });

  test('show how late timers came, also one that is overdue at the look', () => {
    const clock = fakeClock();
    let blockedMs = 0;
    const watch = new EventLoopMonitor({ ...clock, monotonic: () => clock.now() + blockedMs });
    expect(watch.take()).toEqual({ meanMs: 0, maxMs: 0 });
    watch.start();
    clock.advance(100);
    expect(watch.take()).toEqual({ meanMs: 0, maxMs: 0 });
    blockedMs = 350;
    expect(watch.take()).toEqual({ meanMs: 300, maxMs: 300 });
    // The timer that was overdue comes, and the next one in time.
    clock.advance(100);
    expect(watch.take()).toEqual({ meanMs: 175, maxMs: 350 });
    watch.close();
    blockedMs = 5000;
    expect(watch.take()).toEqual({ meanMs: 0, maxMs: 0 });
  });

  test('keep what the store said last of its tasks where it cannot be asked, and ask it no oftener than they may', async () => {
    const clock = fakeClock();
    const warnings: string[] = [];
    let asked = 0;
    const counts = () =>
      ++asked === 2 ? Promise.reject(new Error('away')) : Promise.resolve([{ state: 'running', taskType: 'a', count: asked }]);
    const logger = { warn: (message: string) => void warnings.push(message), error: () => undefined };
    const tasks = new StoredTasks({ store: { counts }, clock, logger, everyMs: 1000 });
    const shown = async (): Promise<readonly number[]> => {
      tasks.gauges();
      await new Promise(setImmediate);
      return tasks.gauges().map(({ value }) => value);
    };
    expect(await shown()).toEqual([1]);
    clock.advance(999);
    expect(await shown()).toEqual([1]);
    clock.advance(1);
    expect(await shown()).toEqual([1]);
    expect(warnings).toHaveLength(1);
    clock.advance(1000);
    expect(await shown()).toEqual([3]);
    expect(asked).toBe(3);
  });

  test.each([99, 0, 1.5, Number.NaN, 2 ** 31])('are not set every %d ms', (metricsEveryMs) => {
    const options = { store: memoryStore(), executor: inProcess({}), auth: () => ({ subject: 'ada' }), metricsEveryMs };
    expect(() => createTaskBridge(options)).toThrow(/^metricsEveryMs \(.*\) must be a whole number from 100 to 2147483647\.$/);
  });
});
