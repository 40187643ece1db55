import { describe, expect, test } from 'vitest';
import { initialTransition, transition } from 'xstate';
import { attemptMachine, type AttemptContext, type AttemptEvent, type WorkDue } from '../../server/attempt/attempt.machine.ts';
import { alphabetOf } from './alphabet.ts';
import { describeChart } from './chart-suite.ts';

const crashedBefore: readonly AttemptEvent[] = [
  { type: 'attempt.claimed', node: 'n1', startBy: 5000 },
  { type: 'attempt.begun' },
  { type: 'attempt.lost', crashed: true, retryAt: 9000, restUntil: 9500 },
  { type: 'attempt.claimed', node: 'n1', startBy: 5000 },
];

const due: WorkDue = { type: 'work.due', now: 1000, isCancelling: false, mayRepeat: true, crashesMax: 5 };

describeChart({
  name: 'attempt',
  machine: attemptMachine,
  alphabet: alphabetOf<AttemptEvent | WorkDue>({
    'attempt.claimed': [{ type: 'attempt.claimed', node: 'n1', startBy: 5000 }],
    'attempt.deferred': [{ type: 'attempt.deferred', retryAt: 2000 }],
    'attempt.begun': [{ type: 'attempt.begun' }],
    'attempt.started': [
      { type: 'attempt.started', keptOutside: false, retryAt: null },
      { type: 'attempt.started', keptOutside: true, retryAt: null },
      { type: 'attempt.started', keptOutside: true, retryAt: 2000 },
    ],
    'attempt.inspected': [{ type: 'attempt.inspected', retryAt: 2500 }],
    'attempt.advanced': [{ type: 'attempt.advanced' }],
    'attempt.suspended': [{ type: 'attempt.suspended' }],
    'attempt.resumed': [{ type: 'attempt.resumed' }],
    'attempt.cleared': [{ type: 'attempt.cleared' }],
    'attempt.lost': [
      { type: 'attempt.lost', crashed: false, retryAt: 9000, restUntil: 9500 },
      { type: 'attempt.lost', crashed: true, retryAt: 9000, restUntil: 9500 },
    ],
    'cancel.requested': [{ type: 'cancel.requested', graceUntil: 4000 }],
    'cancel.delivered': [{ type: 'cancel.delivered' }],
    'resolution.pending': [{ type: 'resolution.pending', suspendId: 'a' }],
    'resolution.delivered': [
      { type: 'resolution.delivered', suspendId: 'a' },
      { type: 'resolution.delivered', suspendId: 'b' },
    ],
    'task.ended': [{ type: 'task.ended' }],
    'work.released': [{ type: 'work.released' }],
    'work.due': [
      due,
      { ...due, now: 20_000 },
      { ...due, now: 20_000, mayRepeat: false },
      { ...due, now: 20_000, crashesMax: 0 },
      { ...due, isCancelling: true },
    ],
  }),
  takesEveryFact: false,
  isBeyond: (context) => {
    const { attempt, tries, crashes, spared } = context as AttemptContext;
    return attempt > 2 || tries > 1 || crashes > 1 || spared > 1;
  },
  presets: [],
  // What may be done with a run that is suspected depends on a crash before it.
  beginnings: [crashedBefore],
});

const claim: AttemptEvent = { type: 'attempt.claimed', node: 'n', startBy: 5 };
const start: AttemptEvent = { type: 'attempt.started', keptOutside: false, retryAt: null };
const keep: AttemptEvent = { type: 'attempt.started', keptOutside: true, retryAt: 7 };
const begin: AttemptEvent = { type: 'attempt.begun' };
const advance: AttemptEvent = { type: 'attempt.advanced' };
const ask: AttemptEvent = { type: 'attempt.suspended' };
const goOn: AttemptEvent = { type: 'attempt.resumed' };
const clear: AttemptEvent = { type: 'attempt.cleared' };
const defer: AttemptEvent = { type: 'attempt.deferred', retryAt: 6 };
const letGo: AttemptEvent = { type: 'attempt.lost', crashed: false, retryAt: 9, restUntil: 9 };
const crash: AttemptEvent = { type: 'attempt.lost', crashed: true, retryAt: 9, restUntil: 9 };
const cancel: AttemptEvent = { type: 'cancel.requested', graceUntil: 8 };
const tell: AttemptEvent = { type: 'cancel.delivered' };
const answer: AttemptEvent = { type: 'resolution.pending', suspendId: 'q' };
const hand: AttemptEvent = { type: 'resolution.delivered', suspendId: 'q' };
const end: AttemptEvent = { type: 'task.ended' };

function after(...events: readonly AttemptEvent[]) {
  const [first] = initialTransition(attemptMachine);
  return events.reduce((snapshot, event) => {
    expect(snapshot.can(event), `${JSON.stringify(snapshot.value)} takes ${event.type}`).toBe(true);
    return transition(attemptMachine, snapshot, event)[0];
  }, first);
}

const tagsOf = (...events: readonly AttemptEvent[]): string => [...after(...events).tags].sort().join(' ');

// Written by hand: what becomes of work, by what had happened to it.
describe('work', () => {
  test.each<[string, readonly AttemptEvent[], string]>([
    ['that nobody took waits', [], 'claimable fenced'],
    ['that a node took is its own', [claim], 'claimed'],
    ['that runs', [claim, begin, start], 'begun claimed working'],
    ['that only waits for a person', [claim, begin, start, ask], 'begun claimed'],
    ['that said something while it waited', [claim, begin, start, ask, goOn], 'begun claimed working'],
    ['that was handed an answer', [claim, begin, start, ask, answer, hand], 'begun claimed working'],
    ['that was answered and not told', [claim, begin, start, ask, answer], 'begun claimed'],
    ['that waited when its process crashed is lost, and no suspect', [claim, begin, start, ask, crash], 'claimable fenced lost'],
    ['that waited, was answered and not told is no suspect', [claim, begin, start, ask, answer, crash], 'claimable fenced lost'],
    ['that went on when its process crashed is suspect', [claim, begin, ask, answer, hand, crash], 'claimable fenced lost suspect'],
    ['that crashed and was watched is cleared', [claim, begin, crash, claim, begin, clear], 'begun claimed cleared working'],
    [
      'that was cleared stays suspect when its process crashes',
      [claim, begin, crash, claim, begin, clear, crash],
      'claimable fenced lost suspect',
    ],
    [
      'that crashed, began again and was put back stays suspect',
      [claim, begin, crash, claim, begin, letGo],
      'claimable fenced lost suspect',
    ],
    ['that was cleared and put back is no suspect', [claim, begin, crash, claim, begin, clear, letGo], 'claimable fenced lost'],
    ['that crashed and was put back unbegun stays suspect', [claim, begin, crash, claim, letGo], 'claimable fenced lost suspect'],
    ['that crashed and could not be started stays suspect', [claim, begin, crash, claim, defer], 'claimable fenced lost suspect'],
    ['that nobody could be asked for waits', [claim, defer], 'claimable fenced'],
    ['that never began is not lost by a crash', [claim, crash], 'claimable fenced'],
    ['that never began is not lost by a crash after its start was confirmed', [claim, start, crash], 'claimable fenced'],
    ['that never began is not lost by being put back', [claim, start, letGo], 'claimable fenced'],
    ['that began and was put back is lost', [claim, begin, start, letGo], 'claimable fenced lost'],
    ['that began and crashed is suspect', [claim, begin, start, crash], 'claimable fenced lost suspect'],
    ['that began, before its start was confirmed, and crashed is suspect', [claim, begin, crash], 'claimable fenced lost suspect'],
    ['that began and crashed while it was to stop is suspect', [claim, start, begin, cancel, crash], 'claimable fenced lost suspect'],
    ['that began and crashed when it knew is suspect', [claim, start, begin, cancel, tell, crash], 'claimable fenced lost suspect'],
    ['of a second run that never began is not lost', [claim, begin, start, letGo, claim, crash], 'claimable fenced'],
    ['of a second run that was not begun is as a first one', [claim, begin, letGo, claim], 'claimed'],
    ['that ended', [claim, begin, start, end], 'fenced'],
  ])('%s', (_what, events, tags) => {
    expect(tagsOf(...events)).toBe(tags);
  });

  test.each<[string, readonly AttemptEvent[], number]>([
    ['no crash', [claim, begin, start], 0],
    ['one', [claim, begin, start, crash], 1],
    ['one of work that has begun again', [claim, begin, start, crash, claim, begin], 1],
    ['two', [claim, begin, start, crash, claim, begin, crash], 2],
    ['none by being put back', [claim, begin, start, crash, claim, begin, letGo], 1],
    ['none that never began', [claim, crash, claim, crash], 0],
    ['none before it got further', [claim, begin, start, crash, claim, begin, advance], 0],
    ['one since it got further', [claim, begin, start, crash, claim, begin, advance, crash], 1],
    ['none before it was handed an answer', [claim, begin, start, crash, answer, claim, begin, start, hand], 0],
    ['none of a run that waited', [claim, begin, ask, crash, claim, begin, ask, crash], 0],
    ['one of a run that asked and worked on', [claim, begin, ask, goOn, crash], 1],
    ['none before it waited', [claim, begin, crash, claim, begin, ask], 0],
    ['none before it was cleared', [claim, begin, crash, claim, begin, clear], 0],
    ['none of a run that was cleared', [claim, begin, crash, claim, begin, clear, crash], 0],
    ['one since it was cleared', [claim, begin, crash, claim, begin, clear, crash, claim, begin, crash], 1],
    ['one since it was cleared and given up', [claim, begin, crash, claim, begin, clear, letGo, claim, begin, crash], 1],
  ])('counts %s', (_what, events, crashes) => {
    expect(after(...events).context.crashes).toBe(crashes);
  });

  test.each<[string, readonly AttemptEvent[], number]>([
    ['counts apart of what it was cleared', [claim, begin, crash, claim, begin, clear], 1],
    ['counts apart a crash after that', [claim, begin, crash, claim, begin, clear, crash], 2],
    ['keeps that where it is given up', [claim, begin, crash, claim, begin, clear, letGo, claim, begin], 1],
    ['forgets that when it is cleared once more in the same run', [claim, begin, crash, claim, begin, clear, clear], 0],
    ['forgets that too when it gets further', [claim, begin, crash, claim, begin, clear, crash, claim, begin, advance], 0],
  ])('%s', (_what, events, spared) => {
    expect(after(...events).context.spared).toBe(spared);
  });

  test.each<[string, readonly AttemptEvent[], Partial<AttemptContext>]>([
    ['is held by the node that took it', [claim, start], { node: 'n', startBy: null }],
    ['is nobody’s once an outside system keeps it', [claim, keep], { node: null, retryAt: 7 }],
    ['keeps its first limit while nobody can be asked', [claim, defer, { ...claim, startBy: 50 }], { startBy: 5, tries: 1 }],
    ['has no limit while it waits for room', [claim, letGo], { startBy: null, tries: 0, retryAt: 9, node: null }],
    ['begins each run anew', [claim, begin, letGo, claim], { attempt: 2, retryAt: null }],
  ])('%s', (_what, events, context) => {
    expect(after(...events).context).toMatchObject(context);
  });

  test('that has begun was asked for, whatever was heard of it', () => {
    expect(after(claim, begin).can(defer)).toBe(false);
    expect(after(claim, begin).can(start)).toBe(true);
  });

  test('begins once, and is acquitted only where it is suspected', () => {
    expect(after(claim, begin).can(begin)).toBe(false);
    expect(after(claim, begin).can(advance)).toBe(false);
    expect(after(claim, begin).can(clear)).toBe(false);
    expect(after(claim, begin, crash, claim).can(clear)).toBe(false);
    expect(after(claim).can(begin)).toBe(true);
    expect(after().can(begin)).toBe(false);
  });
});
