import { expect, vi } from 'vitest';
import { inProcess, type Handler } from '../../adapters/in-process/index.ts';
import { memoryStore } from '../../adapters/memory/index.ts';
import type { Fact } from '../../machines/wire/index.ts';
import type { Store } from '../../server/index.ts';
import type { LaneFlush, Lanes } from '../../server/store/index.ts';
import { bridgeOf, type RunningBridge } from './bridge-of.ts';

/** Says nothing. */
export const quiet = { warn: () => undefined, error: () => undefined };

/** A store whose lanes do as they are told: `before` a flush, once for each call. */
export function noted({
  before = () => Promise.resolve(),
  store = memoryStore(),
}: { before?: (call: number) => Promise<unknown>; store?: Store } = {}) {
  const calls: (readonly LaneFlush[])[] = [];
  const lanes = store.lanes as Lanes;
  const flush = async (flushes: readonly LaneFlush[]) => {
    calls.push(flushes.map((each) => ({ ...each, bytes: each.bytes.slice() })));
    await before(calls.length);
    return lanes.flush(flushes);
  };
  return { store: { ...store, lanes: { ...lanes, flush } } satisfies Store, calls };
}

/** What a flush writes. */
export const textOf = ({ bytes }: LaneFlush): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);

/** A task whose work a handler does. */
export async function running(handler: Handler, store: Store = memoryStore(), repeatable = false) {
  const of = await bridgeOf(inProcess({ work: { run: handler, repeatable } }, { logger: quiet }), { store, logger: quiet });
  return { of, taskId: await of.start('work') };
}

/** How the task ended. */
export async function ended({ of, taskId }: { readonly of: RunningBridge; readonly taskId: string }) {
  return vi.waitFor(async () => {
    const snapshot = await of.snapshot(taskId);
    expect(['completed', 'failed', 'cancelled']).toContain(snapshot.state);
    return snapshot;
  });
}

/** What its log says of parts that were closed. */
export const closings = async ({ of, taskId }: { readonly of: RunningBridge; readonly taskId: string }) =>
  (await of.facts(taskId)).flatMap((fact: Fact) => (fact.type === 'TASK_PART_CLOSED' ? [fact.payload] : []));
/** The types of its facts. */
export const said = async ({ of, taskId }: { readonly of: RunningBridge; readonly taskId: string }) =>
  (await of.facts(taskId)).map(({ type }) => type.replace('TASK_', ''));
