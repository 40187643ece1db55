import type Koa from 'koa';
import type { RoutePaths } from '../../machines/routes/index.ts';
import type { Clock } from '../ports/clock.ts';
import { guard } from './error-boundary.ts';
import { answerOfProbe, askedOnce, detailsOf } from '../observability/probe-answer.ts';
import type { Logger, ReadinessDetails, ReadinessProbe } from '../ports/observability.ts';
import { answerJson } from './call.ts';

/** How many rounds wait for one look of a probe that hangs, before it is asked again. */
const ROUNDS_OF_A_LOOK = 10;

/** The body of `GET /ready`. */
export interface Readiness {
  readonly status: 'ready' | 'not_ready';
  readonly details: Readonly<Record<string, ReadinessDetails>>;
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
 * errors: why a probe failed goes to the logger, once each time its answer changes. Requests that come together share one round of probes, and
 * rounds share a probe that hangs: however many callers there are, it is asked once in {@link ROUNDS_OF_A_LOOK} time-outs.
 */
export function healthRoutes(given: HealthDeps): Koa.Middleware {
  const { health, ready } = given.paths;
  const shared = Object.entries(given.probes).map(
    ([name, probe]) => [name, askedOnce(probe, given.probeTimeoutMs * ROUNDS_OF_A_LOOK, given.clock)] as const,
  );
  const deps = { ...given, probes: Object.fromEntries(shared) };
  const failing = new Set<string>();
  let asking: Promise<Readiness> | undefined;
  return async (ctx, next) => {
    const isAsked = (path: string) => ctx.path === path && (ctx.method === 'GET' || ctx.method === 'HEAD');
    if (isAsked(health) || isAsked(ready)) guard(ctx);
    if (isAsked(health)) return answerJson(ctx, 200, { status: 'ok' });
    if (!isAsked(ready)) return void (await next());
    asking ??= askAll(deps, failing).finally(() => (asking = undefined));
    const readiness = await asking;
    answerJson(ctx, readiness.status === 'ready' ? 200 : 503, readiness);
  };
}

async function askAll({ probes, probeTimeoutMs, clock, logger }: HealthDeps, failing: Set<string>): Promise<Readiness> {
  const ask = async ([name, probe]: [string, ReadinessProbe]) => {
    const answer = await answerOfProbe(probe, probeTimeoutMs, clock);
    if (answer.ready) failing.delete(name);
    else if (!failing.has(name)) {
      failing.add(name);
      if (answer.reason !== undefined) logger?.warn(`The readiness probe "${name}" failed.`, { error: answer.reason });
    }
    return [name, answer] as const;
  };
  const answers = await Promise.all(Object.entries(probes).map(ask));
  return {
    status: answers.every(([, { ready }]) => ready) ? 'ready' : 'not_ready',
    details: Object.fromEntries(answers.map(([name, answer]) => [name, detailsOf(answer)])),
  };
}
