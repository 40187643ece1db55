import { withTimeLimit } from './attempt/time-limit.ts';
import type { Clock } from './ports/clock.ts';
import type { TaskExecutor } from './ports/executor.ts';
import type { ReadinessAnswer, ReadinessProbe } from './ports/observability.ts';
import type { Store } from './ports/store.ts';
import type { LastWrites } from './task/last-writes.ts';
import type { TaskSettings } from './task/settings.ts';

/** What readiness is made of. */
export interface ReadinessDeps {
  readonly store: Store;
  /** What became of what this node wrote last; draining from the first moment of the bridge's close on: nothing new is to come here. */
  readonly core: { readonly lastWrites: LastWrites; readonly isDraining: boolean };
  readonly executors: readonly TaskExecutor[];
  /** What the host adds. */
  readonly given: Readonly<Record<string, ReadinessProbe>> | undefined;
  readonly clock: Clock;
  /** A health that has not answered after `executorTimeoutMs` is asked for again. */
  readonly settings: Pick<TaskSettings, 'executorTimeoutMs'>;
}

/**
 * What `GET /ready` asks: the store, which has to answer and to have taken the last writes, every executor that can tell, and what the host adds.
 * Nothing is ready where the bridge closes.
 */
export function readinessOf(deps: ReadinessDeps): Readonly<Record<string, ReadinessProbe>> {
  const { store, core, executors, given = {} } = deps;
  const ofStore: ReadinessProbe = {
    async check() {
      await store.now();
      const { failure } = core.lastWrites;
      if (!failure) return { ready: true, details: { name: store.name } };
      return { ready: false, details: { name: store.name, writes: 'failing' }, reason: failure.error };
    },
  };
  const ofExecutors = executors.filter(({ health }) => health).map((executor) => [executor.name, healthProbe(executor, deps)] as const);
  const probes: Readonly<Record<string, ReadinessProbe>> = { store: ofStore, ...Object.fromEntries(ofExecutors), ...given };
  return { ...probes, store: unlessClosing(probes['store'] ?? ofStore, deps) };
}

function unlessClosing(probe: ReadinessProbe, { core }: ReadinessDeps): ReadinessProbe {
  return { check: async () => (core.isDraining ? { ready: false, reason: 'closing', details: { reason: 'closing' } } : probe.check()) };
}

/** Asks an executor how it is: one question at once, so that one that hangs is not asked again with every request. */
function healthProbe(executor: TaskExecutor, deps: ReadinessDeps): ReadinessProbe {
  let asking: Promise<ReadinessAnswer> | undefined;
  const ask = async (): Promise<ReadinessAnswer> => {
    const reason = await executor.health?.();
    return reason === undefined ? { ready: true } : { ready: false, reason };
  };
  return {
    check() {
      asking ??= withTimeLimit(deps, deps.settings.executorTimeoutMs, ask()).finally(() => (asking = undefined));
      return asking;
    },
  };
}
