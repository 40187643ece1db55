import { fault, type FaultsOf } from './fault.ts';

/** What may go wrong with a task. */
export const taskFaults: FaultsOf = {
  chart: 'task',
  file: 'machines/task/task.machine.ts',
  faults: [
    fault('questions that end with their task count as expired', "outcome: 'CANCELLED' }", "outcome: 'EXPIRED' }"),
    fault(
      'the reason of the request wins over what the work says',
      'given.reason ?? context.cancelReason',
      'context.cancelReason ?? given.reason',
    ),
    fault('the message of a cancellation is lost', 'message === undefined ? { reason } : { reason, message }', '{ reason }'),
    fault(
      'a request without a reason is given one',
      'event.reason === undefined ? {} : { reason: event.reason }',
      '{ reason: event.reason ?? DEFAULT_CANCEL_REASON }',
    ),
    fault(
      'a former stage outlives the next progress',
      'progress: { progress, ...(stage',
      'progress: { ...context.progress, progress, ...(stage',
    ),
    fault('an empty stage is none', '...(stage != null && { stage })', '...(stage && { stage })'),
    fault('a message of progress without words is none', '...(message != null && { message })', '...(message && { message })'),
    fault('a progress of nothing is no progress', "typeof event.payload.progress !== 'number'", '!event.payload.progress'),
    fault(
      'only open questions are counted',
      'suspensionCount: context.suspensionCount + 1',
      'suspensionCount: context.openSuspensionIds.length + 1',
    ),
    fault(
      'the newest question comes first',
      '[...context.openSuspensionIds, event.payload.suspendId]',
      '[event.payload.suspendId, ...context.openSuspensionIds]',
    ),
    fault(
      'one question more may be open',
      'openSuspensionIds.length >= OPEN_SUSPENSIONS_MAX',
      'openSuspensionIds.length > OPEN_SUSPENSIONS_MAX',
    ),
    fault('one question more may be asked', 'suspensionCount >= SUSPENSIONS_MAX', 'suspensionCount > SUSPENSIONS_MAX'),
    fault(
      'a question that is asked again counts again',
      'context.openSuspensionIds.includes(event.payload.suspendId)) return',
      'false) return',
    ),
    fault('only open parts are held to the limit of all', 'context.partCount >= PARTS_MAX', 'context.openParts.length >= PARTS_MAX'),
    fault('one part more may be open', 'openParts.length >= OPEN_PARTS_MAX', 'openParts.length > OPEN_PARTS_MAX'),
    fault('the last but one answer lets the work run', 'remaining(context, event).length === 0', 'remaining(context, event).length <= 1'),
    fault(
      'a question that is withdrawn stays open',
      "event.type === 'TASK_ACTION_ACCEPTED' || event.type === 'TASK_SUSPENSION_CLOSED'",
      "event.type === 'TASK_ACTION_ACCEPTED'",
    ),
    fault('only open parts are counted', 'partCount: context.partCount + 1', 'partCount: context.openParts.length + 1'),
    fault('parts of one name are one', '({ opened }) => opened === part.opened', '({ name }) => name === part.name'),
    fault('closing a part closes all of its name', '(part) => part !== closed', '(part) => part.name !== closed.name'),
    fault('a part of no known kind is opened', "typeof name === 'string' && typeof kind === 'string'", "typeof name === 'string'"),
    fault(
      'no part can be abandoned',
      "event.type === 'part.abandon' || event.type === 'TASK_PART_CLOSED'",
      "event.type === 'TASK_PART_CLOSED'",
    ),
    fault('an abandoned part is done', "outcome: 'ABANDONED'", "outcome: 'DONE'"),
    fault(
      'the supervisor cannot fail a task',
      "event.type === 'report.failed' || event.type === 'task.fail'",
      "event.type === 'report.failed'",
    ),
    fault(
      'what is being cancelled may not complete',
      "'report.suspended': { actions: { type: 'refuse', params: { code: 'CANCELLING' } } },",
      "'report.suspended': { actions: { type: 'refuse', params: { code: 'CANCELLING' } } }, 'report.completed': { actions: { type: 'refuse', params: { code: 'CANCELLING' } } },",
    ),
    fault(
      'what is being cancelled opens no parts',
      "'report.suspended': { actions: { type: 'refuse', params: { code: 'CANCELLING' } } },",
      "'report.suspended': { actions: { type: 'refuse', params: { code: 'CANCELLING' } } }, 'report.part.opened': { actions: { type: 'refuse', params: { code: 'CANCELLING' } } },",
    ),
    fault(
      'a client that joined takes progress for a start',
      "tags: ['partial'],",
      "tags: ['partial'], on: { TASK_PROGRESS: { target: 'running', actions: 'recordProgress' } },",
    ),
    fault(
      'a task that waits is asked to stop instead of ended',
      "TASK_STARTED: { description: 'Changes nothing about the questions.' },",
      "TASK_STARTED: {}, 'task.cancel': { actions: 'emitCancelRequested' },",
    ),
    fault(
      'progress lets a suspended task run',
      "TASK_STARTED: { description: 'Changes nothing about the questions.' },",
      "TASK_STARTED: {}, TASK_PROGRESS: { target: 'running', actions: 'recordProgress' },",
    ),
    fault('the end does not say why it failed', "return { status: 'FAILED', failure };", "return { status: 'FAILED', failure: null };"),
    fault(
      'an answer while it is cancelled lets it run',
      "TASK_SUSPENDED: { actions: 'openSuspension' },",
      "TASK_SUSPENDED: { actions: 'openSuspension' }, TASK_ACTION_ACCEPTED: { target: 'running', actions: 'closeSuspension' },",
      'cancelling: {',
    ),
    fault(
      'the result is the whole fact’s number',
      'resultEventId: event.eventId }',
      "resultEventId: event.eventId.split('-')[0] ?? null }",
    ),
  ],
};
