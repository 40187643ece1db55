import { expect, onTestFinished, vi } from 'vitest';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { Store } from '../../server/index.ts';
import { quiesce } from '../live/hub-fixture.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';
import { faultyStore } from './faulty-store.ts';

/** Work that says nothing and has no end. */
export const forever = (): Promise<never> => new Promise(() => undefined);
const tasks = { reconcileMs: 200, leaseMs: 1500 };

/** One store after whose nodes' deaths others start on it, as PM2 or systemd would. */
export async function host(handler: Handler, options: { readonly crashesMax?: number } = {}) {
  const clock = fakeClock();
  const memory = memoryStore({ clock });
  await memory.open();
  const store: Store = { ...memory, close: () => Promise.resolve() };
  let closing: ReturnType<typeof setInterval> | undefined;
  onTestFinished(() => clearInterval(closing));
  const warned: [message: string, fields: { readonly idleMs: number }][] = [];
  return {
    clock,
    /** What all nodes warned of. */
    warned,
    store,
    async node() {
      const mortal = faultyStore(store);
      const logger = { warn: (...told: unknown[]) => void warned.push(told as (typeof warned)[number]), error: vi.fn() };
      const of = await bridgeOf(inProcess({ work: { repeatable: true, run: handler } }, { logger }), {
        clock,
        store: mortal,
        logger,
        tasks: { ...tasks, ...options },
      });
      // What a dead node tries again it gives up in its time.
      onTestFinished(() => void (closing ??= setInterval(() => clock.advance(500), 1)));
      return {
        ...of,
        logger,
        die: mortal.kill,
        /** Dies, and takes no time of the test any more. */
        perish() {
          mortal.kill();
          void of.close().catch(() => undefined);
        },
      };
    },
    recordOf: async (taskId: string) =>
      JSON.parse((await store.load(taskId))?.fields['ledger'] ?? '') as { value: unknown; context: { crashes: number; attempt: number } },
  };
}

/** Lets so much time pass, in milliseconds, in steps. */
export async function pass(clock: FakeClock, ms: number, stepMs = tasks.reconcileMs): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(stepMs);
    await quiesce();
  }
}

/** Lets so much time pass as it takes, a minute at most. */
export async function passUntil(clock: FakeClock, holds: () => boolean | Promise<boolean>, minutes = 1): Promise<void> {
  for (let passed = 0; !(await holds()); passed += 100) {
    expect(passed).toBeLessThan(minutes * 60_000);
    clock.advance(passed === 0 ? 0 : 100);
    await quiesce();
  }
}

/** In which state a task is. */
export const state = async (of: RunningBridge, taskId: string): Promise<string> => (await of.snapshot(taskId)).state;
