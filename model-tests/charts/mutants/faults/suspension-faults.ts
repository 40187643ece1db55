import { fault, type FaultsOf } from './fault.ts';

/** What may go wrong with a question. */
export const suspensionFaults: FaultsOf = {
  chart: 'suspension',
  file: 'machines/suspension/suspension.machine.ts',
  faults: [
    fault('the deadline itself is in time', 'Date.parse(event.at) >= Date.parse', 'Date.parse(event.at) > Date.parse'),
    fault(
      'deadlines are compared as texts',
      'Date.parse(event.at) >= Date.parse(context.question.expiresAt)',
      'event.at >= context.question.expiresAt',
    ),
    fault('a late answer is in time until somebody expires the question', "'at' in event &&", "event.type === 'suspension.expire' &&"),
    fault(
      'a question that allows nothing takes everything',
      "event.type === 'action.submit' && !(Array",
      "event.type === 'action.submit' && context.question?.allowedActions?.length !== 0 && !(Array",
    ),
    fault(
      'a question without a list takes everything',
      '!(Array.isArray(context.question?.allowedActions) && context.question.allowedActions.includes(event.actionType))',
      '(Array.isArray(context.question?.allowedActions) && !context.question.allowedActions.includes(event.actionType))',
    ),
    fault(
      'types are compared without their case',
      'allowedActions.includes(event.actionType)',
      'allowedActions.some((type) => type.toLowerCase() === event.actionType.toLowerCase())',
    ),
    fault('every close that is no cancel is an expiry', "event.payload.outcome === 'EXPIRED'", "event.payload.outcome !== 'CANCELLED'"),
    fault('an id that was used for the same is used for another', "event.receipt === 'different'", "event.receipt !== 'none'"),
    fault(
      'the fact does not say what was answered',
      'suspendId, clientActionId, actionType, acceptedAt: at }',
      "suspendId, clientActionId, actionType: '', acceptedAt: at }",
    ),
    fault(
      'a question that is asked again stays the first',
      '? { question: event.payload }',
      '? { question: context.question ?? event.payload }',
    ),
    fault('a question that is answered is not asked again by the log', 'on: {', 'on: { TASK_SUSPENDED: {},', 'resolved: {'),
    fault(
      'what is withdrawn counts as answered',
      "target: 'cancelled', actions: 'forgetQuestion' }, ],",
      "target: 'resolved', actions: 'forgetQuestion' }, ],",
    ),
    fault(
      'an answer to an expired question is too late for another',
      "code: 'REJECTED_EXPIRED' } } }, ], 'suspension.expire'",
      "code: 'REJECTED_ALREADY_RESOLVED' } } }, ], 'suspension.expire'",
      'expired: {',
    ),
    fault(
      'the same answer to an expired question is a repetition',
      "'action.submit': [",
      "'action.submit': [ { guard: 'wasAccepted', actions: { type: 'refuse', params: { code: 'DEDUPLICATED' } } },",
      'expired: {',
    ),
    fault(
      'a question that was never asked was asked',
      "'suspension.expire': { actions: { type: 'refuse', params: { code: 'SUSPENSION_NOT_FOUND' } } },",
      "'suspension.expire': { actions: { type: 'refuse', params: { code: 'NOT_DUE' } } },",
    ),
    fault(
      'an expiry that is a text of no date is past',
      'Date.parse(event.at) >= Date.parse(context.question.expiresAt)',
      '!(Date.parse(event.at) < Date.parse(context.question.expiresAt))',
    ),
  ],
};
