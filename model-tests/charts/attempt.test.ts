import { describe, expect, test } from 'vitest';
import { initialTransition, transition } from 'xstate';
import { attemptMachine, type AttemptContext, type AttemptEvent } from '../../server/attempt/attempt.machine.ts';
import { alphabetOf } from './alphabet.ts';
import { describeChart } from './chart-suite.ts';

describeChart({
  name: 'attempt',
  machine: attemptMachine,
  alphabet: alphabetOf<AttemptEvent>({
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
    'attempt.lost': [
      { type: 'attempt.lost', crashed: false, retryAt: 9000 },
      { type: 'attempt.lost', crashed: true, retryAt: 9000 },
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
  }),
  takesEveryFact: false,
  isBeyond: (context) => {
    const { attempt, tries, crashes } = context as AttemptContext;
    return attempt > 2 || tries > 1 || crashes > 1;
  },
  presets: [],
});

const claim: AttemptEvent = { type: 'attempt.claimed', node: 'n', startBy: 5 };
const start: AttemptEvent = { type: 'attempt.started', keptOutside: false, retryAt: null };
const keep: AttemptEvent = { type: 'attempt.started', keptOutside: true, retryAt: 7 };
const begin: AttemptEvent = { type: 'attempt.begun' };
const advance: AttemptEvent = { type: 'attempt.advanced' };
const defer: AttemptEvent = { type: 'attempt.deferred', retryAt: 6 };
const letGo: AttemptEvent = { type: 'attempt.lost', crashed: false, retryAt: 9 };
const crash: AttemptEvent = { type: 'attempt.lost', crashed: true, retryAt: 9 };
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
    ['that runs', [claim, begin, start], 'begun claimed'],
    ['that nobody could be asked for waits', [claim, defer], 'claimable fenced'],
    ['that never began is not lost by a crash', [claim, crash], 'claimable fenced'],
    ['that never began is not lost by a crash after its start was confirmed', [claim, start, crash], 'claimable fenced'],
    ['that never began is not lost by being put back', [claim, start, letGo], 'claimable fenced'],
    ['that began and was put back is lost', [claim, begin, start, letGo], 'claimable fenced lost'],
    ['that began and crashed is suspect', [claim, begin, start, crash], 'claimable fenced lost suspect'],
    ['that began, before its start was confirmed, and crashed is suspect', [claim, begin, crash], 'claimable fenced lost suspect'],
    ['that began and crashed while it was to stop is suspect', [claim, start, begin, cancel, crash], 'claimable fenced lost suspect'],
    ['that began and crashed when it knew is suspect', [claim, start, begin, cancel, tell, crash], 'claimable fenced lost suspect'],
    ['of a second run that never began is not lost', [claim, begin, start, crash, claim, crash], 'claimable fenced'],
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
  ])('counts %s', (_what, events, crashes) => {
    expect(after(...events).context.crashes).toBe(crashes);
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
    expect(after(claim).can(begin)).toBe(true);
    expect(after().can(begin)).toBe(false);
  });
});
