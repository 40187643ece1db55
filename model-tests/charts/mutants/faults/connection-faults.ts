import { fault, type FaultsOf } from './fault.ts';

/** What may go wrong with one connection. */
export const connectionFaults: FaultsOf = {
  chart: 'connection',
  file: 'machines/transport/connection.machine.ts',
  faults: [
    fault('every connection is a WebSocket', "transport: input?.transport ?? 'ws'", "transport: 'ws'"),
    fault('events are polled for', "context.transport === 'poll'", "context.transport !== 'ws'"),
    fault('the second malformed frame is a loss', 'context.malformed >= 2', 'context.malformed >= 1'),
    fault('malformed frames are never a loss', 'context.malformed >= 2', 'context.malformed >= 3'),
    fault('malformed frames are counted to one', 'Math.min(context.malformed + 1, 2)', 'Math.min(context.malformed + 1, 1)'),
    fault(
      'every end is a loss',
      "event.type === 'wire.ended' ? event.ending : context.ending",
      "event.type === 'wire.ended' ? { kind: 'lost' as const } : context.ending",
    ),
    fault('facts are told as signs of life', 'transport, hasFacts: true', 'transport, hasFacts: false'),
    fault('signs of life are told as facts', 'transport, hasFacts: false', 'transport, hasFacts: true'),
    fault('it tells nobody but itself', 'self._parent ?? self', 'self'),
    fault(
      'a confirmation forgives malformed frames',
      "'wire.confirmed': { target: 'live', actions: 'tellLive' }",
      "'wire.confirmed': { target: 'live', actions: ['forgetMalformed', 'tellLive'] }",
    ),
    fault(
      'a malformed frame is a sign of life',
      "'wire.alive': { target: 'live', reenter: true, actions: ['forgetMalformed', 'tellAlive'] },",
      "'wire.alive': { target: 'live', reenter: true, actions: ['forgetMalformed', 'tellAlive'] }, 'wire.malformed': { target: 'live', reenter: true, actions: 'countMalformed' },",
    ),
    fault(
      'a gate that closes cuts what is open',
      "'wire.level': { description: 'All that comes now is new.', actions: 'tellLevel' },",
      "'wire.level': { actions: 'tellLevel' }, 'gate.closed': { target: '#connection.over', actions: 'noteGate' },",
    ),
    fault(
      'facts of a page begin the wait anew',
      "'wire.page': { target: 'asking', actions: 'tellAlive' },",
      "'wire.page': { target: 'asking', actions: 'tellAlive' }, 'wire.facts': { target: 'waiting', reenter: true, actions: ['forgetMalformed', 'tellFacts'] },",
    ),
    fault('who is silent is mute after half a minute', 'muteTime: 3_000', 'muteTime: 30_000'),
    fault('an empty page is asked for again at once', 'emptyPause: 500', 'emptyPause: 5'),
    fault('a poll is given up before the server answers', 'pollTimeout: 35_000', 'pollTimeout: 25_000'),
    fault(
      'another that answers doubts what was not sent',
      "on: { 'wire.asked': { target: 'asked' } },",
      "on: { 'wire.asked': { target: 'asked' }, 'other.answered': { target: 'doubted' } },",
    ),
    fault(
      'a stream that is doubted is asked beside again',
      'after: { muteTime:',
      "after: { silentTime: { actions: 'tellSilent' }, muteTime:",
    ),
    fault('a mute one is only lost', "actions: ['noteMute', 'reportMute']", "actions: 'reportMute'"),
    fault(
      'the stream is opened as another',
      'ConnectionStart => ({ transport: context.transport })',
      "ConnectionStart => ({ transport: 'sse' })",
    ),
    fault('how it ended is not said', 'ConnectionEnding => context.ending', "ConnectionEnding => ({ kind: 'lost' })"),
    fault(
      'a wait at the gate ends it',
      "'gate.closed': { description: 'Waits.', actions: 'tellOffline' },",
      "'gate.closed': { target: 'over', actions: ['noteGate', 'tellOffline'] },",
    ),
  ],
};
