import { fault, type FaultsOf } from './fault.ts';

/** What may go wrong with what becomes of a command. */
export const entryFaults: FaultsOf = {
  chart: 'entry',
  file: 'client/outbox/entry.machine.ts',
  faults: [
    fault(
      'what was never sent has an answer',
      "'entry.aged': { target: 'expired' },",
      "'entry.aged': { target: 'expired' }, 'entry.answered': { target: 'done' },",
    ),
    fault(
      'what was sent is sent for the first time again',
      "'entry.answered': { target: 'done' },",
      "'entry.answered': { target: 'done' }, 'entry.sent': { target: 'queued' },",
    ),
    fault(
      'what was sent and grew old is taken back',
      "'entry.aged': { target: 'expired' },",
      "'entry.aged': { target: 'withdrawn' },",
      'sending: {',
    ),
    fault('what was sent cannot be taken back', "'entry.withdrawn': { target: 'withdrawn' },", "'entry.withdrawn': {},", 'sending: {'),
    fault('a refusal waits for somebody', "type: 'final', tags: ['settled']", "type: 'final', tags: ['pending', 'settled']", 'refused: {'),
    fault('what is kept no longer waits once it was sent', "tags: ['pending'],", 'tags: [],', 'sending: {'),
    fault(
      'what was taken back may still be answered',
      "withdrawn: { description: 'Taken back.', type: 'final', tags: ['settled'] }",
      "withdrawn: { tags: ['settled'], on: { 'entry.answered': { target: 'done' } } }",
    ),
    fault(
      'an answer grows old',
      "done: { description: 'The server has taken it.', type: 'final', tags: ['settled'] }",
      "done: { tags: ['settled'], on: { 'entry.aged': { target: 'expired' } } }",
    ),
  ],
};

/** What may go wrong with when commands go out. */
export const outboxFaults: FaultsOf = {
  chart: 'outbox',
  file: 'client/outbox/outbox.machine.ts',
  faults: [
    fault('failures are counted without end', 'Math.min(context.failures + 1, 10)', 'context.failures + 1'),
    fault('what the server asked to wait is not waited', 'retryAfterMs, error };', 'retryAfterMs: 0, error };'),
    fault(
      'what was to be waited once is waited for ever',
      'retryAfterMs, error };',
      'retryAfterMs: Math.max(retryAfterMs, context.retryAfterMs), error };',
    ),
    fault('why a store failed is not said', ': (event as { error?: unknown; retryAfterMs?: number });', ': {};'),
    fault('one entry is none', 'turnOf(event).pending === 0', '(turnOf(event).pending ?? 0) <= 1'),
    fault('patience ends early', 'patience: 120_000', 'patience: 12_000'),
    fault('what grew too old stays', 'nextExpiry: 60_000', 'nextExpiry: 6_000_000'),
    fault(
      'the lock has another name',
      "seizeLock: spawnChild('seizeLock', { id: 'lock' })",
      "seizeLock: spawnChild('seizeLock', { id: 'seized' })",
    ),
    fault(
      'it asks for the lock where it takes it away',
      "seizeLock: spawnChild('seizeLock', { id: 'lock' })",
      "seizeLock: spawnChild('claimLock', { id: 'lock' })",
    ),
    fault(
      'a new command passes a closed gate',
      "on: { 'entries.none': { target: 'idle' } },",
      "on: { 'entries.none': { target: 'idle' }, 'entries.pending': { target: 'contending' } },",
    ),
    fault(
      'a new command reads a failing store at once',
      "on: { 'retry.asked': { target: 'loading' } },",
      "on: { 'retry.asked': { target: 'loading' }, 'entries.pending': { target: 'loading' } },",
    ),
    fault(
      'a new command ends the rest after a failure',
      "on: { 'retry.asked': { target: 'sending' } },",
      "on: { 'retry.asked': { target: 'sending' }, 'entries.pending': { target: 'sending' } },",
    ),
    fault(
      'whoever asks for a retry with nothing kept reads the store',
      "on: { 'entries.pending': { target: 'waiting' } },",
      "on: { 'entries.pending': { target: 'waiting' }, 'retry.asked': { target: 'loading' } },",
      'idle: {',
    ),
    fault('whoever sends does not hear that the lock is lost', "tags: ['sending'],", "tags: ['sending'], on: { 'lock.lost': {} },"),
    fault(
      'a gate that closes cuts what is under way',
      "tags: ['sending'],",
      "tags: ['sending'], always: { guard: 'isGateClosed', target: '#outbox.open.work.waiting' },",
    ),
    fault('what is under way keeps it open', "tags: ['sending'],", "tags: ['sending'], on: { 'outbox.close': {} },"),
    fault(
      'another tab’s last command ends the own',
      "tags: ['sending'],",
      "tags: ['sending'], on: { 'entries.none': { target: '#outbox.open.work.idle' } },",
    ),
    fault(
      'a gate that opens reads the store first',
      "always: { guard: 'isGateOpen', target: 'contending' },",
      "always: { guard: 'isGateOpen', target: 'loading' },",
    ),
    fault('the gate is believed to be open', "initial: 'closed', states: { open:", "initial: 'open', states: { open:"),
    fault(
      'failures are forgotten only when nothing is left',
      "{ target: 'sending', reenter: true, actions: 'forgetFailures' },",
      "{ target: 'sending', reenter: true },",
    ),
  ],
};
