import { fault, type FaultsOf } from './fault.ts';

/** What may go wrong with a viewer. */
export const viewerFaults: FaultsOf = {
  chart: 'viewer',
  file: 'server/live/viewer.phases.ts',
  faults: [
    fault(
      'a viewer with too much to take stays level',
      "'log.more': { to: 'behind', effects: ['awaitDrain'] },",
      "'log.more': { effects: ['awaitDrain'] },",
    ),
    fault(
      'the end does not wait until it is taken',
      "'log.ended': { to: 'ending', effects: ['awaitDrain'] },",
      "'log.ended': { to: 'over', effects: ['release', 'end'] },",
    ),
    fault(
      'the end comes before the viewer lets go',
      "'viewer.drained': { to: 'over', effects: ['release', 'end'] },",
      "'viewer.drained': { to: 'over', effects: ['end', 'release'] },",
    ),
    fault(
      'a failure forgets what it has read',
      "'pause.ended': { to: 'reading', effects: ['readAgain'] },",
      "'pause.ended': { to: 'reading', effects: ['read'] },",
    ),
    fault('a turn that comes too late is kept', "'turn.came': { effects: ['endTurn'] },", "'turn.came': 'nothing',"),
    fault('what is told to one that is behind is kept', "'facts.told': 'nothing',", "'facts.told': { effects: ['hold'] },", 'behind: {'),
    fault(
      'one that ends cannot be cut',
      "'viewer.cut': { to: 'over', effects: ['release', 'cut'] },",
      "'viewer.cut': 'nothing',",
      'ending: {',
    ),
    fault('the seam is not read', "'tail.opened': { to: 'reading', effects: ['read'] },", "'tail.opened': { to: 'level', effects: [] },"),
    fault('a crowd keeps its turn', "effects: ['dropHeld', 'awaitDrain', 'endTurn'] },", "effects: ['dropHeld', 'awaitDrain'] },"),
    fault(
      'what is missed is only followed',
      "'facts.missed': { to: 'reading', effects: ['read'] },",
      "'facts.missed': { effects: ['follow'] },",
    ),
    fault(
      'a task that is gone ends well',
      "'task.gone': { to: 'over', effects: ['release', 'cutTask'] },",
      "'task.gone': { to: 'over', effects: ['release', 'end'] },",
    ),
    fault(
      'a torn log is followed',
      "'log.torn': { to: 'reading', effects: ['read'] },",
      "'log.torn': { to: 'behind', effects: ['awaitDrain'] },",
    ),
  ],
};

/** What may go wrong with a socket of several tasks. */
export const multiplexedFaults: FaultsOf = {
  chart: 'multiplexed',
  file: 'client/transports/multiplexed.phases.ts',
  faults: [
    fault(
      'all tasks ask before anything was granted',
      "'socket.opened': { to: 'asking', effects: ['openFirst'] },",
      "'socket.opened': { to: 'asking', effects: ['openAll'] },",
    ),
    fault('a socket that is full is full for ever', "'channel.removed': { to: 'shared', effects: [] },", "'channel.removed': 'nothing',"),
    fault('a socket of one task takes another', 'alone: {', "alone: { tags: ['attachable'],"),
    fault(
      'the first frame grants a share',
      "'frame.came': { to: 'alone', effects: ['sendWaitingOn', 'checkEmpty', 'tellAll'] },",
      "'frame.came': { to: 'shared', effects: ['openAll', 'route'] },",
    ),
    fault(
      'who waited hears what is not theirs',
      "'grant.withheld': { to: 'alone', effects: ['sendWaitingOn', 'checkEmpty', 'tellAll'] },",
      "'grant.withheld': { to: 'alone', effects: ['tellAll', 'sendWaitingOn', 'checkEmpty'] },",
    ),
    fault(
      'the first frame of a shared socket is lost',
      "'frame.granting': { to: 'shared', effects: ['unsubscribeFormer', 'openAll', 'route'] },",
      "'frame.granting': { to: 'shared', effects: ['unsubscribeFormer', 'openAll'] },",
    ),
    fault(
      'a socket that was open counts as one that never was',
      "'socket.lost': { to: 'over', effects: ['forget', 'tellGone'] },",
      "'socket.lost': { to: 'over', effects: ['forget', 'tellUnopened'] },",
      'shared: {',
    ),
    fault(
      'an empty socket stays open',
      "'channels.gone': { to: 'over', effects: ['forget', 'closeSocket'] },",
      "'channels.gone': 'nothing',",
      'shared: {',
    ),
  ],
};

/** What may go wrong with one task on a shared socket. */
export const channelFaults: FaultsOf = {
  chart: 'channel',
  file: 'client/transports/channel.phases.ts',
  faults: [
    fault(
      'a task without room ends',
      "'ended.full': { to: 'waiting', effects: ['leave', 'fillSocket', 'attach'] },",
      "'ended.full': { to: 'over', effects: ['leave', 'tellEnd'] },",
    ),
    fault(
      'a full socket is tried again',
      "'ended.full': { to: 'waiting', effects: ['leave', 'fillSocket', 'attach'] },",
      "'ended.full': { to: 'waiting', effects: ['leave', 'attach'] },",
    ),
    fault(
      'an end before it was confirmed is the end',
      "'ended.done': 'nothing',",
      "'ended.done': { to: 'over', effects: ['leave', 'tellEnd'] },",
      'asked: {',
    ),
    fault(
      'who leaves is still sent to',
      "'channel.closed': { to: 'over', effects: ['leave', 'unsubscribe'] },",
      "'channel.closed': { to: 'over', effects: ['leave'] },",
      'confirmed: {',
    ),
    fault(
      'who never asked unsubscribes',
      "'channel.closed': { to: 'over', effects: ['leave'] },",
      "'channel.closed': { to: 'over', effects: ['leave', 'unsubscribe'] },",
    ),
    fault(
      'the confirmation is kept back',
      "'frame.confirmed': { to: 'confirmed', effects: ['deliver'] },",
      "'frame.confirmed': { to: 'confirmed', effects: [] },",
      'asked: {',
    ),
    fault(
      'a socket that is gone is looked for again',
      "'socket.gone': { to: 'over', effects: ['tellEnd'] },",
      "'socket.gone': { to: 'waiting', effects: ['attach'] },",
    ),
    fault(
      'a refused upgrade is tried again for ever',
      "'socket.unopened': { to: 'over', effects: ['tellEnd'] },",
      "'socket.unopened': { effects: ['attach'] },",
    ),
  ],
};

/** What may go wrong with tasks of one event stream. */
export const sharedStreamFaults: FaultsOf = {
  chart: 'shared-stream',
  file: 'client/streams/shared-stream.phases.ts',
  faults: [
    fault(
      'the former stream goes before the next is there',
      "'set.changed': { to: 'changing', effects: ['open'] },",
      "'set.changed': { to: 'opening', effects: ['closeLive', 'open'] },",
    ),
    fault(
      'two streams show one set',
      "'next.granted': { to: 'live', effects: ['closeLive', 'promote', 'review'] },",
      "'next.granted': { to: 'live', effects: ['promote', 'review'] },",
    ),
    fault(
      'the new stream is closed for the former',
      "effects: ['closeLive', 'promote', 'review'] },",
      "effects: ['promote', 'closeLive', 'review'] },",
    ),
    fault(
      'a place is never given back',
      "'live.lost': { to: 'idle', effects: ['freePlace', 'tellLive', 'review'] },",
      "'live.lost': { to: 'idle', effects: ['tellLive', 'review'] },",
    ),
    fault(
      'a server without shared streams is asked again',
      "'next.missing': { to: 'alone', effects: ['dropNext', 'freePlace', 'goAlone'] },",
      "'next.missing': { to: 'idle', effects: ['dropNext', 'freePlace', 'review'] },",
    ),
    fault(
      'a set that changed meanwhile is not looked at',
      "'next.granted': { to: 'live', effects: ['promote', 'review'] },",
      "'next.granted': { to: 'live', effects: ['promote'] },",
    ),
    fault(
      'a later task of a server without shared streams has none',
      "'set.changed': { effects: ['goAlone'] },",
      "'set.changed': 'nothing',",
    ),
    fault(
      'what is asked for is lost with what was live',
      "'live.lost': { to: 'opening', effects: ['tellLive', 'review'] },",
      "'live.lost': { to: 'idle', effects: ['freePlace', 'tellLive', 'review'] },",
    ),
  ],
};
