import type { AttemptContext } from './attempt.machine.ts';
import type { AttemptSnapshot } from './execution-record.ts';

/**
 * The attempt's chart as 0.1.0 has it, and still reads it: as long as one of its nodes holds the work, the record is written so, or its own
 * reports would be refused.
 */
export interface AttemptV1 {
  readonly value: unknown;
  readonly context: Pick<AttemptContext, 'attempt' | 'node' | 'leaseUntil' | 'tries' | 'retryAt' | 'startBy' | 'graceUntil'> & {
    readonly owed: readonly string[];
  };
}

type Value = AttemptSnapshot['value'];

/** The states of a chart that is written so: somebody holds the work, or did until the task ended. */
export function attemptToV1({ value, context }: AttemptSnapshot): AttemptV1 {
  const { crashes: _, spared: _spared, pendingDeliveries, ...kept } = context;
  return { value: valueToV1(value), context: { ...kept, owed: pendingDeliveries } };
}

/** Reads it. Whatever has reported had begun: 0.1.0 noted the first report of every first attempt. */
export function attemptFromV1({ value, context: { owed, ...kept } }: AttemptV1, hasReported: boolean) {
  return {
    value: valueFromV1(value, hasReported),
    context: {
      ...kept,
      // Where it has no date any more, an outside system keeps it; the node is the one that asked.
      node: kept.leaseUntil === null ? null : kept.node,
      crashes: 0,
      spared: 0,
      pendingDeliveries: owed,
    } satisfies AttemptContext,
  };
}

function valueToV1(value: Value): unknown {
  if (typeof value === 'string' || typeof value.unfinished === 'string') return value;
  const { run } = value.unfinished.claimed;
  return { unfinished: run === 'notified' ? 'told' : run };
}

function valueFromV1(value: unknown, hasReported: boolean): Value {
  const { unfinished } = value as { readonly unfinished?: string };
  if (unfinished === undefined || unfinished === 'pending' || unfinished === 'lost') return value as Value;
  const run = unfinished === 'told' ? 'notified' : unfinished;
  // `resolveState` throws for a state that the chart does not have.
  return { unfinished: { claimed: { run, progress: hasReported ? 'begun' : 'unbegun' } } } as Value;
}
