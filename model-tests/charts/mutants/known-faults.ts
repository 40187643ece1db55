/**
 * Faults that once lived: nothing that was run then saw them. By kind, each by its chart and its name there; tried in every run of the tests.
 */
export const knownFaults: Readonly<Record<string, readonly (readonly [chart: string, fault: string])[]>> = {
  'a task that is being cancelled asks new questions': [
    ['task', '.active.cancelling report.suspended dropped'],
    ['task', '.active.cancelling report.suspended without refuse'],
  ],
  'the reason of a cancel is lost': [
    ['task', '.active TASK_CANCEL_REQUESTED without recordCancelRequest'],
    ['task', 'recordCancelRequest forgets cancelReason'],
    ['task', '.active TASK_CANCELLED without recordCancellation'],
  ],
  'a late start undoes a cancel': [['task', '.active.cancelling TASK_STARTED dropped']],
  'a tag disappears': [
    ['task', '.active.suspended without the tag waiting'],
    ['task', '.active.joined without the tag partial'],
    ['suspension', '.expired without the tag closed'],
    ['transport', '.observing.delivering.probing without the tag climbing'],
    ['tab', '.together.seizing without the tag following'],
  ],
  'a deadline is asked before the reuse of an id': [['suspension', '.open action.submit 2 before its elder']],
  'a late start forgets that the work has to stop': [
    ['attempt', '.unfinished.claimed.run.stopping attempt.started goes to held'],
    ['attempt', '.unfinished.claimed.run.starting cancel.requested dropped'],
  ],
  'work of a lost attempt is taken': [
    ['attempt', '.unfinished.lost without the tag fenced'],
    ['attempt', '.unfinished.suspected without the tag fenced'],
  ],
  'facts give no tries back': [
    ['transport', '.observing.delivering connection.heard without giveBackTries'],
    ['transport', 'giveBackTries forgets left'],
  ],
  'renewed credentials connect nothing anew': [['transport', '.observing.delivering connection.renewed dropped']],
  'climbs that fail are not counted': [
    ['transport', '.observing.delivering.proving xstate.done.actor.* without countClimbFailure'],
    ['transport', 'countClimbFailure forgets climbFailures'],
    ['transport', 'judgeProbe forgets climbFailures'],
  ],
  'a refusal counts as done': [
    ['entry', '.sending entry.refused goes to done'],
    ['recovery', '.settling settle onDone 2 goes to finished'],
  ],
  'a leader resigns and nobody hears it': [['tab', '.together.following.guided leader.resigned dropped']],
};
