import type { TaskExecutor } from './ports/executor.ts';
import type { ReadinessProbe } from './ports/observability.ts';
import type { Store } from './ports/store.ts';
import type { LastWrites } from './task/last-writes.ts';

/**
 * What `GET /ready` asks: the store, which has to answer and to have taken the last writes, every executor that can tell, and what the host adds.
 */
export function readinessOf(
  store: Store,
  lastWrites: LastWrites,
  executors: readonly TaskExecutor[],
  given: Readonly<Record<string, ReadinessProbe>> = {},
): Readonly<Record<string, ReadinessProbe>> {
  const probes: Record<string, ReadinessProbe> = {
    store: {
      async check() {
        await store.now();
        const { failure } = lastWrites;
        if (!failure) return { ready: true, details: { name: store.name } };
        return { ready: false, details: { name: store.name, writes: 'failing' }, reason: failure.error };
      },
    },
  };
  for (const executor of executors) {
    if (!executor.health) continue;
    probes[executor.name] = {
      async check() {
        const reason = await executor.health?.();
        return reason === undefined ? { ready: true } : { ready: false, reason };
      },
    };
  }
  return { ...probes, ...given };
}
