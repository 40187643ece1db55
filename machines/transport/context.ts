import { retryDelayMs } from '../retry-policy.ts';
import { isBarring, isStreamRouteMissing } from './ending.ts';
import type {
  ConnectionEnding,
  Continuity,
  CursorTrust,
  Refreshable,
  Strategy,
  TransportFailure,
  TransportInput,
  Tries,
} from './events.ts';
import type { TransportName } from '../wire/transports.ts';

/** What the transport chart remembers. Counters saturate. */
export interface TransportContext {
  readonly strategy: Strategy;
  /** The budget of each transport; 0 for one that is never used or was ruled out. */
  readonly tries: Tries;
  /** What is left of it. */
  readonly left: Tries;
  /** Those that said nothing, or that somebody else answered for: left out, and tried by climbing. */
  readonly barred: readonly TransportName[];
  /** The transport that delivers, or the one that was tried last. */
  readonly transport: TransportName;
  /** The one that is tried above it, or asked beside it. */
  readonly probe: TransportName | null;
  /** How often in a row the whole ladder failed, at most 5. */
  readonly passes: number;
  /** How often in a row climbing failed, at most 4. */
  readonly climbFailures: number;
  /** True where there is a provider that can be asked for new credentials. */
  readonly refreshable: boolean;
  /** What the recovery that runs may refresh them for. */
  readonly refreshesFor: Refreshable;
  /** What the server asked to wait before the next try, in milliseconds. */
  readonly retryAfterMs: number;
  readonly continuity: Continuity;
  readonly cursor: CursorTrust;
  readonly failure: TransportFailure | null;
}

/** The context that an observation begins with. A pure walk of the chart has no input: it begins with one try each. */
export function beginContext(input: TransportInput | undefined): TransportContext {
  const {
    tries,
    strategy,
    refreshable,
    cursor = 'trusted',
  }: TransportInput = input ?? {
    tries: { ws: 1, sse: 1, poll: 1 },
    strategy: 'progressive-sticky',
    refreshable: true,
  };
  const budget =
    strategy === 'fast-cycle' ? { ws: Math.min(tries.ws, 1), sse: Math.min(tries.sse, 1), poll: Math.min(tries.poll, 1) } : tries;
  return {
    strategy,
    tries: budget,
    left: budget,
    barred: [],
    transport: 'ws',
    probe: null,
    passes: 0,
    climbFailures: 0,
    refreshable,
    refreshesFor: 'nothing',
    retryAfterMs: 0,
    continuity: 'resumed',
    cursor,
    failure: null,
  };
}

/** The rungs, highest first. */
export const rungs = ['ws', 'sse', 'poll'] as const satisfies readonly TransportName[];

/** The highest rung with tries left; the whole ladder again where all are spent, also those that are barred where there are no others. */
export function choose(context: TransportContext): Pick<TransportContext, 'transport' | 'left' | 'barred' | 'passes' | 'retryAfterMs'> {
  const isOpen = ({ left }: Pick<TransportContext, 'left'>): boolean => rungs.some((name) => left[name] > 0);
  const again = isOpen(context) ? context : { ...context, ...ladderAgain(context) };
  const { left, barred, passes } = isOpen(again) ? again : { ...again, left: again.tries, barred: [] };
  return { transport: rungs.find((name) => left[name] > 0) ?? context.transport, left, barred, passes, retryAfterMs: 0 };
}

/** Every rung has its tries again that is not barred. */
export function ladderAgain({ tries, barred, passes }: TransportContext): Pick<TransportContext, 'left' | 'passes'> {
  return { left: barred.reduce((left, name) => ({ ...left, [name]: 0 }), tries), passes: Math.min(passes + 1, 5) };
}

/** A transport that is not tried any more. */
export function withoutTransport({ tries, left, barred }: TransportContext, name: TransportName): Partial<TransportContext> {
  return { tries: { ...tries, [name]: 0 }, left: { ...left, [name]: 0 }, barred: barred.filter((other) => other !== name) };
}

/** Left out for a while: it has no tries left. */
export function barTransport({ barred, left }: TransportContext, name: TransportName): Pick<TransportContext, 'barred' | 'left'> {
  return { barred: [...barred.filter((other) => other !== name), name].sort(), left: { ...left, [name]: 0 } };
}

/** It works: no longer left out. */
export function admitTransport({ barred, left, tries }: TransportContext, name: TransportName): Partial<TransportContext> {
  if (!barred.includes(name)) return {};
  return { barred: barred.filter((other) => other !== name), left: { ...left, [name]: tries[name] } };
}

/** What the end of a connection that climbs says of its transport. */
export function afterProbe(context: TransportContext, ending: ConnectionEnding): Partial<TransportContext> {
  const { probe } = context;
  if (probe === null) return {};
  const climbFailures = Math.min(context.climbFailures + 1, 4);
  if (isStreamRouteMissing(probe, ending)) return { climbFailures, ...withoutTransport(context, probe) };
  return isBarring(probe, ending) ? { climbFailures, ...barTransport(context, probe) } : { climbFailures };
}

/** True where the present one may be barred: another has tries left. The last one is asked whoever answers. */
export function hasOpenRung({ left, transport }: TransportContext): boolean {
  return transport !== 'poll' && rungs.some((name) => name !== transport && left[name] > 0);
}

/** The lowest rung that may be used, where that is below the present one. */
export function rungBeside({ tries, transport }: TransportContext): TransportName | undefined {
  return rungs
    .slice(rungs.indexOf(transport) + 1)
    .reverse()
    .find((name) => tries[name] > 0);
}

/** True where another transport than the present one may be used. */
export function hasOther({ tries, transport }: TransportContext): boolean {
  return rungs.some((name) => name !== transport && tries[name] > 0);
}

/** True where a rung below the present one has tries left. */
export function hasLowerRung({ left, transport }: TransportContext): boolean {
  return rungs.slice(rungs.indexOf(transport) + 1).some((name) => left[name] > 0);
}

/** The highest rung above the one that delivers, and below the one that was just tried beside it; undefined where none may be used. */
export function nextProbe({ tries, transport, probe }: TransportContext): TransportName | undefined {
  const present = rungs.indexOf(transport);
  const last = probe === null ? -1 : rungs.indexOf(probe);
  // One below is asked for another reason.
  return rungs.slice(last < present ? last + 1 : 0, present).find((name) => tries[name] > 0);
}

/** Which retry in a row comes next on this rung, or which further ladder: 0, 1, 2 …, at most 4. */
export function retryOf({ tries, left, transport, passes }: TransportContext): number {
  const failed = tries[transport] - left[transport];
  return Math.min(Math.max((failed > 0 ? failed : passes) - 1, 0), 4);
}

/**
 * The rest before the next try, in milliseconds, without jitter: the base, doubled for each further try that failed on this rung (or each
 * further ladder), at most `maxMs`. Source: protocol, "Clients".
 */
export function backoffMs(context: TransportContext, baseMs = 500, maxMs = 5000): number {
  return retryDelayMs({ baseMs, maxMs, jitter: 0 }, retryOf(context));
}

/** The longest time between two probes, in milliseconds, without jitter. */
const CLIMB_MS_MAX = 300_000;

/**
 * The time to the next probe, in milliseconds: the base, doubled for each failure in a row, at most 5 minutes; `fraction`, from -0.5 to 0.5,
 * makes it up to a fifth shorter or longer.
 */
export function climbMs(baseMs: number, { climbFailures }: TransportContext, fraction = 0): number {
  return retryDelayMs({ baseMs, maxMs: CLIMB_MS_MAX, jitter: 0.4 }, climbFailures, fraction);
}

/** Stands for an actor that nobody provided: throws, and says which. */
export const stub = (name: string) => (): never => {
  throw new Error(`The actor "${name}" was not provided. Fill it with machine.provide({ actors: { ${name} } }).`);
};
