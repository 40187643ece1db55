import { attemptMachine, type AttemptContext, type AttemptEvent } from '../../server/attempt/attempt.machine.ts';
import { alphabetOf } from './alphabet.ts';
import { describeChart } from './chart-suite.ts';

describeChart({
  name: 'attempt',
  machine: attemptMachine,
  alphabet: alphabetOf<AttemptEvent>({
    'attempt.claimed': [{ type: 'attempt.claimed', node: 'n1', leaseUntil: 1000, startBy: 5000 }],
    'attempt.deferred': [{ type: 'attempt.deferred', retryAt: 2000 }],
    'attempt.started': [
      { type: 'attempt.started', leaseUntil: 1500 },
      { type: 'attempt.started', leaseUntil: null },
      { type: 'attempt.started', leaseUntil: null, retryAt: 2000 },
    ],
    'attempt.inspected': [{ type: 'attempt.inspected', retryAt: 2500 }],
    'attempt.renewed': [{ type: 'attempt.renewed', leaseUntil: 3000 }],
    'attempt.lost': [{ type: 'attempt.lost', startBy: 9000 }],
    'cancel.requested': [{ type: 'cancel.requested', graceUntil: 4000 }],
    'cancel.delivered': [{ type: 'cancel.delivered' }],
    'resolution.pending': [
      { type: 'resolution.pending', suspendId: 'a' },
      { type: 'resolution.pending', suspendId: 'b' },
    ],
    'resolution.delivered': [
      { type: 'resolution.delivered', suspendId: 'a' },
      { type: 'resolution.delivered', suspendId: 'b' },
    ],
    'task.ended': [{ type: 'task.ended' }],
    'work.released': [{ type: 'work.released' }],
  }),
  takesEveryFact: false,
  isBeyond: (context) => (context as AttemptContext).attempt > 2 || (context as AttemptContext).tries > 1,
  presets: [],
});
