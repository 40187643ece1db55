import { alike, fault, type FaultsOf } from './fault.ts';

/** What may go wrong with who runs the work. */
export const attemptFaults: FaultsOf = {
  chart: 'attempt',
  file: 'server/attempt/attempt.machine.ts',
  faults: [
    fault(
      'a claim goes on resting',
      'retryAt: null, startBy: context.startBy ?? event.startBy',
      'retryAt: context.retryAt, startBy: context.startBy ?? event.startBy',
    ),
    fault('each claim begins the time to start anew', 'context.startBy ?? event.startBy', 'event.startBy'),
    alike(
      'where nobody has it, no node has a lease',
      fault('a claim ends an older lease', 'node: event.node,', 'node: event.node, leaseUntil: null,'),
    ),
    fault('nobody but the first try counts', 'tries: context.tries + 1', 'tries: 1'),
    fault('work that is kept outside stays its node’s', 'node: event.keptOutside ? null : context.node', 'node: context.node'),
    fault(
      'work of the process is nobody’s',
      'node: event.keptOutside ? null : context.node',
      'node: event.keptOutside ? context.node : null',
    ),
    fault('a start forgets no tries', 'tries: 0, retryAt: event.retryAt', 'tries: context.tries, retryAt: event.retryAt'),
    fault(
      'lost work is as late as its first start',
      'event.retryAt : null, startBy: null',
      'event.retryAt : null, startBy: context.startBy',
    ),
    fault('lost work rests no time', "retryAt: event.type === 'attempt.lost' ? event.retryAt : null", 'retryAt: null'),
    fault(
      'released work rests on',
      "retryAt: event.type === 'attempt.lost' ? event.retryAt : null",
      "retryAt: event.type === 'attempt.lost' ? event.retryAt : context.retryAt",
    ),
    fault('the last moment to start is in time', 'event.now >= startBy', 'event.now > startBy'),
    fault('the moment to ask again is too early', 'retryAt > event.now', 'retryAt >= event.now'),
    fault('one crash more is allowed', 'crashes >= event.crashesMax', 'crashes > event.crashesMax'),
    fault(
      'one spared crash more is allowed',
      'crashes + spared >= event.crashesMax * SPARED_TIMES',
      'crashes + spared > event.crashesMax * SPARED_TIMES',
    ),
    fault('spared crashes count alone', 'crashes + spared >= event.crashesMax', 'spared >= event.crashesMax'),
    fault('spared crashes are fewer', 'SPARED_TIMES = 4', 'SPARED_TIMES = 3'),
    fault('spared crashes are no suspicion', 'return crashes + spared > 0', 'return crashes > 0'),
    fault('an end is owed twice', '&& !context.pendingDeliveries.includes(event.suspendId)', ''),
    fault(
      'the newest end is delivered first',
      '[...context.pendingDeliveries, event.suspendId]',
      '[event.suspendId, ...context.pendingDeliveries]',
    ),
    fault(
      'whatever is delivered was the oldest',
      'context.pendingDeliveries.filter((id) => id !== event.suspendId)',
      'context.pendingDeliveries.slice(1)',
    ),
    fault('a delivery takes all that is owed', 'context.pendingDeliveries.filter((id) => id !== event.suspendId)', '[]'),
    fault('only the last crashes are spared', 'spared: context.spared + context.crashes', 'spared: context.crashes'),
    fault('a crash counts twice', 'crashes: context.crashes + 1', 'crashes: context.crashes + 2'),
    fault('a crash rests as long as a loss', 'retryAt: event.restUntil', 'retryAt: event.retryAt'),
    fault(
      'what was inspected is asked at the former time again',
      'retryAt: event.retryAt } : context)),',
      'retryAt: event.retryAt ?? context.retryAt } : context)),',
      'noteInspection',
    ),
    fault('an overdue cancel is not owed', "owes: ['end an overdue cancel', 'deliver the cancel',", "owes: ['deliver the cancel',"),
    fault(
      'a notified cancel is never overdue',
      "owes: ['end an overdue cancel', 'deliver a resolution', 'inspect']",
      "owes: ['deliver a resolution', 'inspect']",
    ),
    fault(
      'work that is to stop hears no answers',
      "'deliver the cancel', 'deliver a resolution', 'inspect'",
      "'deliver the cancel', 'inspect'",
    ),
    alike(
      'what is most urgent is said by the steps, not by who owes them',
      fault(
        'the cancel is delivered before its time of grace is looked at',
        "'end an overdue cancel', 'deliver the cancel'",
        "'deliver the cancel', 'end an overdue cancel'",
      ),
    ),
    fault(
      'no stale run is stopped after the end',
      "'remove what is expired', 'stop a stale run', 'notify of the end'",
      "'remove what is expired', 'notify of the end'",
    ),
    fault(
      'what is released is never removed',
      "owes: ['remove what is expired', 'stop a stale run'] }, type: 'final'",
      "owes: ['stop a stale run'] }, type: 'final'",
    ),
    fault('no lease expires', "owes: ['expire the lease',", 'owes: ['),
    fault(
      'a second request gives grace again',
      "on: { 'attempt.inspected': { actions: 'noteInspection' } },",
      "on: { 'attempt.inspected': { actions: 'noteInspection' }, 'cancel.requested': { actions: 'allowGrace' } },",
      'notified: {',
    ),
    fault(
      'a request while it is told begins the grace anew',
      "'cancel.delivered': { target: 'notified' },",
      "'cancel.delivered': { target: 'notified' }, 'cancel.requested': { actions: 'allowGrace' },",
    ),
    fault(
      'a crash while it waits is its own',
      "'attempt.lost': { target: '#attempt.unfinished.lost', actions: 'vacate' },",
      "'attempt.lost': [{ guard: 'isCrash', target: '#attempt.unfinished.suspected', actions: ['vacate', 'countCrash', 'rest'] }, { target: '#attempt.unfinished.lost', actions: 'vacate' }],",
    ),
    fault(
      'what never began may not be repeated',
      "{ description: 'Nobody could be asked to run it.', guard: 'isStartOverdue'",
      "{ guard: 'mayNotRepeat', actions: { type: 'orderFailure', params: { why: 'may not be repeated' } } }, { guard: 'isStartOverdue'",
    ),
    fault(
      'what is lost fails as overdue',
      "{ description: 'It is not its time.', guard: 'isResting' },",
      "{ guard: 'isStartOverdue', actions: { type: 'orderFailure', params: { why: 'could not be started in time' } } }, { guard: 'isResting' },",
      'lost: { description',
    ),
    fault('a start that reports late is refused', "tags: ['claimed'],", "tags: ['claimed', 'fenced'],"),
    fault('the grace outlives the end', 'retryAt: null, startBy: null, graceUntil: null })', 'retryAt: null, startBy: null })'),
    fault('work that waits is believed to work', "tags: ['begun'],", "tags: ['begun', 'working'],", 'waiting: {'),
    fault(
      'a cancel is delivered by a late start',
      "'attempt.started': { actions: 'confirmStart' },",
      "'attempt.started': { target: 'notified', actions: 'confirmStart' },",
    ),
    fault(
      'what is ended may be claimed',
      "on: { 'work.released': { target: 'released', actions: 'vacate' } },",
      "on: { 'work.released': { target: 'released', actions: 'vacate' }, 'attempt.claimed': { actions: 'claim' } },",
    ),
  ],
};
