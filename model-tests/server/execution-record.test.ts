import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { emptyAggregate } from '../../machines/index.ts';
import type { AttemptEvent } from '../../server/attempt/attempt.machine.ts';
import {
  emptyExecutionRecord,
  noteReport,
  parseExecutionRecord,
  recordAttemptEvent,
  serializeExecutionRecord,
  workOrder,
  type ExecutionRecord,
} from '../../server/attempt/execution-record.ts';
import { planOf } from '../../server/task/plan.ts';
import { taskSettings } from '../../server/task/settings.ts';

const settings = taskSettings({});
const about = { taskId: 't', taskType: 'work', clientRequestId: 'r', owner: 'ada', contentHash: 'c', requestKey: 'ab', createdAt: 0 };
const planned = (execution: ExecutionRecord, now = 1000) =>
  planOf({ about, revision: 1, aggregate: emptyAggregate, execution }, now, settings);

function recordOf(...events: readonly AttemptEvent[]): ExecutionRecord {
  return events.reduce((record, event) => {
    const next = recordAttemptEvent(record, event);
    if (!next) throw new Error(`${event.type} was not taken.`);
    return next;
  }, emptyExecutionRecord);
}

/** What 0.1.0 wrote, by the moment of its scenario. */
const old = new Map(
  readFileSync(new URL('../versions/golden/ledger.v1.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf('{'))]),
);
const read = (moment: string, sources: object = {}): ExecutionRecord =>
  parseExecutionRecord({ ledger: old.get(moment) ?? '', sources: JSON.stringify(sources) });

test('is written as version 1, letter for letter, as long as a lease of 0.1.0 is in it', () => {
  expect([...old.keys()]).toHaveLength(5);
  for (const moment of ['created', 'waiting']) expect(serializeExecutionRecord(read(moment)).ledger).toBe(old.get(moment));
  for (const moment of ['failed', 'completed', 'cancelled']) expect(serializeExecutionRecord(read(moment)).ledger).toContain('{"v":2');
});

test('keeps all of it through version 1: a cancel, what is still to be handed over', () => {
  const waiting = read('waiting', { main: 3 });
  const pending = recordAttemptEvent(waiting, { type: 'resolution.pending', suspendId: 'q' }) ?? waiting;
  const cancelled = recordAttemptEvent(pending, { type: 'cancel.requested', graceUntil: 9 }) ?? pending;
  const told = recordAttemptEvent(cancelled, { type: 'cancel.delivered' }) ?? cancelled;
  for (const record of [pending, cancelled, told]) {
    const texts = serializeExecutionRecord(record) as Required<ReturnType<typeof serializeExecutionRecord>>;
    expect(texts.ledger).toContain('{"v":1');
    expect(parseExecutionRecord(texts)).toMatchObject({ attempt: { value: record.attempt.value, context: record.attempt.context } });
  }
});

test('of version 1 had begun where it had reported, and is held until its date', () => {
  expect(read('waiting', { main: 1 }).attempt.hasTag('begun')).toBe(true);
  expect(read('waiting').attempt.hasTag('begun')).toBe(false);
  expect(planned(read('waiting')).work).toEqual({ heldBy: '5555555555555555', until: 8_640_000_000_000_000 });
});

test('of version 1 that an outside system kept is nobody’s', () => {
  const { ledger } = { ledger: (old.get('waiting') ?? '').replace('8640000000000000', 'null') };
  const record = parseExecutionRecord({ ledger, sources: '{}' });
  expect(record.attempt.context.node).toBeNull();
  expect(planned(record).work).toBeNull();
});

test('once the lease is over it is written as version 2, and read back as it is', () => {
  const lost = recordAttemptEvent(read('waiting', { main: 1 }), { type: 'attempt.lost', crashed: true, retryAt: 7, restUntil: 7 });
  const texts = serializeExecutionRecord(lost ?? emptyExecutionRecord) as Required<ReturnType<typeof serializeExecutionRecord>>;
  expect(texts.ledger).toContain('{"v":2');
  expect(parseExecutionRecord(texts).attempt.context).toMatchObject({ crashes: 1, retryAt: 7, node: null, leaseUntil: null });
  expect(parseExecutionRecord(texts).attempt.hasTag('suspect')).toBe(true);
});

const claim: AttemptEvent = { type: 'attempt.claimed', node: 'n', startBy: 5000 };
const keep: AttemptEvent = { type: 'attempt.started', keptOutside: true, retryAt: 3000 };
const leave: AttemptEvent = { type: 'attempt.started', keptOutside: true, retryAt: null };
const start: AttemptEvent = { type: 'attempt.started', keptOutside: false, retryAt: null };
const begin: AttemptEvent = { type: 'attempt.begun' };
const answer: AttemptEvent = { type: 'resolution.pending', suspendId: 'q' };
const stop: AttemptEvent = { type: 'cancel.requested', graceUntil: 4000 };
const end: AttemptEvent = { type: 'task.ended' };

// Written by hand. It is 1000 now, and an effect is tried again after 1000.
test.each<[string, readonly AttemptEvent[], { readonly wakeAt: number | null; readonly work: unknown }]>([
  ['work that nobody took is wanted at once', [], { wakeAt: null, work: { readyAt: 1000 } }],
  ['work that a node asks for is held', [claim], { wakeAt: null, work: { heldBy: 'n' } }],
  ['work that runs on a node is held', [claim, begin, start], { wakeAt: null, work: { heldBy: 'n' } }],
  ['what is owed to work on a node its holder hears of', [claim, begin, start, answer], { wakeAt: null, work: { heldBy: 'n' } }],
  ['work on a node that has to stop has its grace', [claim, begin, start, stop], { wakeAt: 4000, work: { heldBy: 'n' } }],
  [
    'work that nobody could be asked for is tried again, for so long',
    [claim, { type: 'attempt.deferred', retryAt: 1500 }],
    { wakeAt: 5000, work: { readyAt: 1500 } },
  ],
  [
    'work that crashed rests',
    [claim, begin, start, { type: 'attempt.lost', crashed: true, retryAt: 2500, restUntil: 2500 }],
    { wakeAt: null, work: { readyAt: 2500 } },
  ],
  ['work that an outside system keeps is asked after', [claim, keep], { wakeAt: null, work: { readyAt: 3000 } }],
  ['work that nobody asks after rests', [claim, leave], { wakeAt: null, work: null }],
  ['what is owed to an outside system any node tells', [claim, keep, answer], { wakeAt: null, work: { readyAt: 2000 } }],
  ['what an outside system has to stop any node tells', [claim, keep, stop], { wakeAt: 4000, work: { readyAt: 2000 } }],
  ['an end is told by the holder', [claim, start, end], { wakeAt: settings.retainedAfterEndMs, work: { heldBy: 'n' } }],
  ['an end is told to an outside system', [claim, keep, end], { wakeAt: settings.retainedAfterEndMs, work: { readyAt: 2000 } }],
  ['what is over is kept for a while', [claim, end, { type: 'work.released' }], { wakeAt: settings.retainedAfterEndMs, work: null }],
])('plans: %s', (_what, events, plan) => {
  expect(planned(recordOf(...events))).toEqual(plan);
});

// The plan decides nothing: it is when the chart has an order, no sooner (nobody looks in vain) and no later.
test.each<[string, readonly AttemptEvent[]]>([
  ['nobody took', []],
  ['nobody could be asked for', [claim, { type: 'attempt.deferred', retryAt: 1500 }]],
  ['nobody can be asked for before it is too late', [claim, { type: 'attempt.deferred', retryAt: 9000 }]],
  ['was given up', [claim, begin, start, { type: 'attempt.lost', crashed: false, retryAt: 1000, restUntil: 2500 }]],
  ['crashed', [claim, begin, start, { type: 'attempt.lost', crashed: true, retryAt: 1000, restUntil: 2500 }]],
  ['crashed, and was answered', [claim, begin, start, answer, { type: 'attempt.lost', crashed: true, retryAt: 1000, restUntil: 2500 }]],
])('plans work that %s for the moment at which there is an order for it', (_what, events) => {
  const execution = recordOf(...events);
  const { wakeAt, work } = planned(execution);
  const plannedAt = Math.min(wakeAt ?? Infinity, work && 'readyAt' in work ? work.readyAt : Infinity);
  const due = { type: 'work.due', isCancelling: false, mayRepeat: true, crashesMax: 5 } as const;
  const moments = Array.from({ length: 10_000 }, (_, nth) => 1000 + nth);
  const orderedAt = moments.find((now) => workOrder(execution, { ...due, now }) !== undefined);
  expect(Math.max(plannedAt, 1000)).toBe(orderedAt);
});

test('forgets what an earlier attempt reported', () => {
  const first = noteReport(recordOf(claim, begin), 'main', 4);
  const lost = recordAttemptEvent(first, { type: 'attempt.lost', crashed: false, retryAt: 1, restUntil: 1 }) ?? first;
  expect(lost.sources).toEqual({ main: 4 });
  expect(recordAttemptEvent(lost, claim)?.sources).toEqual({});
});
