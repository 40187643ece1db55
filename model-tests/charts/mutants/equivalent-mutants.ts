/** Why a fault of a chart changes nothing, by the fault's name. */
type Reasons = Readonly<Record<string, string>>;

const task: Reasons = {
  '.active TASK_MESSAGE dropped': 'it is drawn to say that it changes nothing',
  '.active TASK_COMPLETED with its actions the other way round': 'one closes, the other records; neither reads what the other writes',
  '.active TASK_FAILED with its actions the other way round': 'one closes, the other records; neither reads what the other writes',
  '.active TASK_CANCELLED with its actions the other way round': 'one closes, the other records; neither reads what the other writes',
  '.active.running TASK_STARTED dropped': 'any open task runs then, and this one does',
  '.active.suspended TASK_ACTION_ACCEPTED 1 with closeSuspensions for closeSuspension': 'it is the last one that is open',
  '.active.suspended TASK_ACTION_ACCEPTED 2 dropped': 'any open task closes the question, and stays',
  '.active.suspended TASK_SUSPENSION_CLOSED 1 with closeSuspensions for closeSuspension': 'it is the last one that is open',
  '.active.suspended TASK_SUSPENSION_CLOSED 2 dropped': 'any open task closes the question, and stays',
};

const suspension: Reasons = {
  '.resolved action.submit 2 before its elder': 'an id was used for the same or for another, never for both',
};

const attempt: Reasons = {
  '.unfinished resolution.delivered with its actions the other way round': 'one writes what is owed, the other what is counted',
  '.unfinished.claimed.progress.waiting resolution.delivered with its actions the other way round':
    'one writes what is owed, the other what is counted',
};

const shut = 'where the gate is closed each of them leads on to the wait for it';
const outbox: Reasons = {
  '.open.work.loading entries.pending goes to contending': 'the gate decides there between the same two',
  '.open.work.loading entries onDone 2 goes to contending': 'the gate decides there between the same two',
  '.open.work.idle entries.pending goes to contending': 'the gate decides there between the same two',
  '.open.work.contending lock.lost goes to waiting': 'the gate decides there between the same two',
  '.open.work.contending.queueing always goes to seizing': shut,
  '.open.work.contending.queueing always goes to resting': shut,
  '.open.work.contending.seizing always goes to queueing': shut,
  '.open.work.contending.seizing always goes to resting': shut,
  '.open.work.contending.seizing always goes to #outbox.open.work.contending': shut,
  '.open.work.contending.sending turn onDone 2 before its elder': 'a turn comes to one of them',
  '.open.work.contending.sending turn onDone 3 goes to queueing': shut,
  '.open.work.contending.sending turn onDone 3 goes to seizing': shut,
  '.open.work.contending.sending turn onDone 3 goes to resting': shut,
  '.open.work.contending.sending turn onDone 3 goes to #outbox.open.work.contending': shut,
  '.open.work.contending.resting always goes to queueing': shut,
  '.open.work.contending.resting always goes to seizing': shut,
  '.open.work.contending.resting always goes to #outbox.open.work.contending': shut,
};

const tab: Reasons = {
  '.together.following.guided leader.named 2 dropped': 'whoever follows at all turns to the one who is named',
};

const connection: Reasons = {
  '.stream.opening.doubted after muteTime with its actions the other way round': 'one is remembered, the other is only reported',
  '.stream.live wire.facts with its actions the other way round': 'one is remembered, the other told; neither reads the other',
  '.stream.live wire.alive with its actions the other way round': 'one is remembered, the other told; neither reads the other',
  '.poll wire.facts with its actions the other way round': 'one is remembered, the other told; neither reads the other',
};

const recovery: Reasons = {
  '.judging always 2 before its elder': 'the host says one thing of an ending, or nothing',
  '.judging always 3 before its elder': 'both are losses',
  '.judging always 4 before its elder': 'no ending is of both kinds',
  '.judging always 5 before its elder': 'no ending is of both kinds',
  '.judging always 6 before its elder': 'whoever answers 401 is taken for the server, and nobody else',
  '.judging always 8 before its elder': 'no ending is of both kinds',
  '.judging always 10 before its elder': 'no ending is of both kinds',
  '.judging always 11 before its elder': 'one is of a stream, the other of the snapshot',
  '.judging always 12 before its elder': 'both are losses',
  '.settling settle onDone 2 before its elder': 'the snapshot says one of them',
  '.appealing settle onDone 2 before its elder': 'the snapshot says one of them',
  '.refreshing refresh onDone 2 before its elder': 'the provider says one of them',
};

const oneOutcome = 'a recovery comes to one of them';
const apart = 'neither reads what the other writes';
const chosenAtOnce = 'the first connection is chosen at once';
const transport: Reasons = {
  'begins with another transport': chosenAtOnce,
  'begins with another probe': chosenAtOnce,
  'begins with another retryAfterMs': chosenAtOnce,
  '.observing.delivering connection.opening dropped': 'it is drawn to say that it changes nothing',
  '.observing.delivering connection.renewed goes to credentials':
    'both regions begin anew then, where newer credentials take them: connecting, and trusted',
  '.observing.delivering.connecting connection.live 2 before its elder': 'no connection is both',
  '.observing.delivering.connecting connection.live 2 unguarded': 'there is no third connection',
  '.observing.delivering.probing after probeTimeout with countClimbFailure for judgeProbe': 'of a loss nothing but the failure is noted',
  '.observing.delivering.proving xstate.done.actor.* unguarded': 'there is no second connection',
  '.observing.delivering.proving after provingTime goes to probing': 'with nothing above it, it is steady at once',
  '.observing.delivering.recovering entry with its actions the other way round': apart,
  '.observing.delivering.recovering recovery onDone 2 before its elder': oneOutcome,
  '.observing.delivering.recovering recovery onDone 3 before its elder': oneOutcome,
  '.observing.delivering.recovering recovery onDone 4 before its elder': oneOutcome,
  '.observing.delivering.recovering recovery onDone 5 before its elder': oneOutcome,
  '.observing.delivering.recovering recovery onDone 6 before its elder': oneOutcome,
  '.observing.delivering.recovering recovery onDone 7 before its elder': oneOutcome,
  '.observing.delivering.recovering recovery onDone 4 with its actions the other way round': apart,
  '.observing.delivering.recovering recovery onDone 6 with its actions the other way round': apart,
  '.observing.delivering.recovering recovery onDone 8 with its actions the other way round': apart,
  '.observing.delivering.recovering recovery onDone 9 with its actions the other way round': apart,
};

const apartEffects = 'what one of them does is nothing to the other';
const viewer: Reasons = {
  'reading × turn.crowded with its effects the other way round': apartEffects,
  'reading × store.failed with its effects the other way round': apartEffects,
  'reading × log.early with its effects the other way round': apartEffects,
  'reading × log.more with its effects the other way round': apartEffects,
  'reading × log.ended with its effects the other way round': apartEffects,
  'level × facts.told goes to reading': 'what is followed says at once where it leads, from both to the same',
  'level × part.told goes to reading': 'what is followed says at once where it leads, from both to the same',
};

const multiplexed: Reasons = { 'shared × channel.unsubscribed with its effects the other way round': apartEffects };

const channel: Reasons = { 'begins without attach': 'it is attached before it has a socket that could do anything' };

const looksByItself = 'whoever hears of it leaves, which is looked at by itself';
const sharedStream: Reasons = {
  'opening × next.granted with its effects the other way round': apartEffects,
  'opening × next.missing with its effects the other way round': apartEffects,
  'opening × next.lost with its effects the other way round': apartEffects,
  'opening × next.unwanted without freePlace': 'somebody is left, and the next stream takes the place over',
  'opening × next.unwanted with its effects the other way round': apartEffects,
  'live × live.lost without review': looksByItself,
  'live × live.lost with its effects the other way round': apartEffects,
  'changing × next.unwanted with its effects the other way round': apartEffects,
  'changing × live.lost without review': looksByItself,
  'changing × live.lost with its effects the other way round': apartEffects,
};

/**
 * Small faults that change nothing that anybody could see, by chart, each with its reason. By hand; one that a table finds after all, and one
 * that is no more, fails.
 */
export const alike: Readonly<Record<string, Reasons>> = {
  task,
  suspension,
  attempt,
  outbox,
  tab,
  transport,
  connection,
  recovery,
  viewer,
  multiplexed,
  channel,
  'shared-stream': sharedStream,
};
