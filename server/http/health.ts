import type Koa from 'koa';
import type { RoutePaths } from '../../machines/routes/index.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger, ReadinessProbe } from '../ports/observability.ts';
import { answerJson } from './call.ts';

/** The body of `GET /ready`. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly details: Readonly<Record<string, Readonly<Record<string, string | number | boolean>>>>;
}

/** What the probes are asked with. */
export interface HealthDeps {
  /** By the name that `details` gives them. */
  readonly probes: Readonly<Record<string, ReadinessProbe>>;
  readonly probeTimeoutMs: number;
  /** Where they stand; absolute. */
  readonly paths: Pick<RoutePaths, 'health' | 'ready'>;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
}

/**
 * Answers `GET /health` and `GET /ready`, or what they are set to, for anybody; all else is the host's. Open endpoints carry no text of
 * errors: why a probe failed goes to the logger, once each time its answer changes. Requests that come together share one round of probes.
 */
export function healthRoutes(deps: HealthDeps): Koa.Middleware {
  const { health, ready } = deps.paths;
  const failing = new Set<string>();
  let asking: Promise<Readiness> | undefined;
  return async (ctx, next) => {
    const isAsked = (path: string) => ctx.path === path && (ctx.method === 'GET' || ctx.method === 'HEAD');
    if (isAsked(health)) return answerJson(ctx, 200, { status: 'ok' });
    if (!isAsked(ready)) return void (await next());
    asking ??= askAll(deps, failing).finally(() => (asking = undefined));
    const readiness = await asking;
    answerJson(ctx, readiness.status === 'ready' ? 200 : 503, readiness);
  };
}

async function askAll({ probes, probeTimeoutMs, clock, logger }: HealthDeps, failing: Set<string>): Promise<Readiness> {
  const ask = async ([name, probe]: [string, ReadinessProbe]) => {
    try {
      const { ready, details } = await within(probe.check(), probeTimeoutMs, clock);
      if (ready) failing.delete(name);
      return { name, ready, details };
    } catch (error) {
      if (!failing.has(name)) logger?.warn(`The readiness probe "${name}" failed.`, { error });
      failing.add(name);
      return { name, ready: false, details: undefined };
    }
  };
  const answers = await Promise.all(Object.entries(probes).map(ask));
  const details = answers.map(({ name, ready, details: told }) => [name, { ...told, status: ready ? 'ready' : 'not_ready' }] as const);
  return { status: answers.every(({ ready }) => ready) ? 'ready' : 'not_ready', details: Object.fromEntries(details) };
}

function within<T>(work: Promise<T>, ms: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(new Error(`No answer within ${ms} ms.`)), ms);
    void work.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}
