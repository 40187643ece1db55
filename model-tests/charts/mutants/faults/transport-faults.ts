import { alike, fault, type FaultsOf } from './fault.ts';

/** What may go wrong with how an observation stays connected. */
export const transportFaults: FaultsOf = {
  chart: 'transport',
  file: 'machines/transport/transport.machine.ts',
  faults: [
    fault(
      'the shorter of two rests is taken',
      'Math.max(context.retryAfterMs, backoffMs(context))',
      'Math.min(context.retryAfterMs, backoffMs(context))',
    ),
    fault(
      'what the server asked to wait is all that is rested',
      'Math.max(context.retryAfterMs, backoffMs(context))',
      'context.retryAfterMs || backoffMs(context)',
    ),
    fault('climbing is tried every three seconds', 'climbMs(30_000, context)', 'climbMs(3_000, context)'),
    fault('climbing that failed is tried as often as before', 'climbMs(30_000, context)', '30_000'),
    fault('a probe has a second', 'probeTimeout: 90_000', 'probeTimeout: 1_000'),
    fault(
      'a recovery is told the transport that delivers',
      'transport: speakerOf(event) ?? context.transport',
      'transport: context.transport',
    ),
    fault('a recovery may refresh nothing', 'refreshable: context.refreshesFor', "refreshable: 'nothing'"),
    fault('a recovery is told of a loss', 'ending: endingOf(event), refreshable', "ending: { kind: 'lost' }, refreshable"),
    fault(
      'what a probe is refused is read as another’s',
      'isServersWord(context.probe ?? context.transport, endingOf(event))',
      'isServersWord(context.transport, endingOf(event))',
    ),
    fault('a rest that the server asked for ends with the network', 'context.retryAfterMs === 0,', 'context.retryAfterMs >= 0,'),
    fault('long polls know of no gap', "context.transport === 'poll' || context.cursor === 'dropped'", "context.cursor === 'dropped'"),
    fault(
      'a log that is read anew is resumed',
      "context.transport === 'poll' || context.cursor === 'dropped'",
      "context.transport === 'poll'",
    ),
    fault(
      'a gap is never mended',
      "context.transport === 'poll' || context.cursor === 'dropped' ? context.continuity : 'resumed'",
      'context.continuity',
    ),
    fault('what was answered is doubted', "cursor: 'trusted' as const,", 'cursor: context.cursor,'),
    fault(
      'what was answered beside a silent stream is doubted',
      "probe: transport, retryAfterMs: 0, cursor: 'trusted' });",
      'probe: transport, retryAfterMs: 0 });',
    ),
    fault('a checkpoint is dropped again and again', "continuity: 'reset', cursor: 'dropped' }", "continuity: 'reset', cursor: 'stored' }"),
    fault('a history that was replaced is a gap', "event.reason === 'reset' ? 'reset' : 'gap'", "event.reason === 'reset' ? 'gap' : 'gap'"),
    fault('a fast cycle gets its tries back', "strategy === 'fast-cycle' ? left : {", "strategy !== 'fast-cycle' ? left : {"),
    fault('every strategy gets its tries back', "strategy === 'fast-cycle' ? left : {", 'strategy === undefined ? left : {'),
    fault(
      'accepted credentials are renewed at a close',
      "check(areCredentials('trusted')) ? 'closed'",
      "check(areCredentials('accepted')) ? 'closed'",
    ),
    fault('credentials are renewed where nobody can', '!context.refreshable || check', 'check'),
    fault('the last try is never the last', 'context.left[context.transport] > 1', 'context.left[context.transport] > 0'),
    fault(
      'whoever answers is told that another did',
      'const former = children?.[transport];',
      'const former = children?.[probe ?? transport];',
    ),
    fault('a climb ends what it climbed to', 'enqueue.stopChild(transport);', 'enqueue.stopChild(probe ?? transport);'),
    fault(
      'a probe that is no more is remembered',
      'enqueue.assign({ probe: probe ?? null });',
      'enqueue.assign({ probe: probe ?? context.probe });',
    ),
    fault(
      'a former probe goes on beside the next',
      'if (context.probe) enqueue.stopChild(context.probe); const probe = nextProbe(context);',
      'const probe = nextProbe(context);',
    ),
    fault(
      'any connection may meet the gate',
      "speakerOf(event) === context.transport && endingOf(event).kind === 'gated'",
      "endingOf(event).kind === 'gated'",
    ),
    fault('a heartbeat is as good as a fact', "event.type === 'connection.heard' && event.hasFacts", "event.type === 'connection.heard'"),
    fault(
      'two are asked beside a silent one',
      'context.probe === null && rungBeside(context) !== undefined',
      'rungBeside(context) !== undefined',
    ),
    fault(
      'all that is opened is a WebSocket',
      'id: chosen.transport, input: { transport: chosen.transport }',
      "id: chosen.transport, input: { transport: 'ws' }",
    ),
    fault(
      'a probe is opened as what delivers',
      "if (probe) enqueue.spawnChild('connection', { id: probe, input: { transport: probe } });",
      "if (probe) enqueue.spawnChild('connection', { id: probe, input: { transport: context.transport } });",
    ),
    fault('nobody hears why it failed', 'TransportFailure | null => context.failure', 'TransportFailure | null => null'),
    fault(
      'a change of the network is nothing while a climb is proved',
      "tags: ['live'], on: { 'xstate.done.actor.*'",
      "tags: ['live'], on: { 'network.changed': {}, 'xstate.done.actor.*'",
      'proving: {',
    ),
    fault(
      'what rests reads no new facts and stops resting',
      "tags: ['waiting'], after: { reconnectBackoff",
      "tags: ['waiting'], on: { 'consumer.drained': { target: 'connecting' } }, after: { reconnectBackoff",
    ),
    alike(
      'whoever is full has closed all that could speak',
      fault(
        'what is full is full of what comes late',
        "'consumer.drained': { target: 'connecting' },",
        "'consumer.drained': { target: 'connecting' }, 'connection.live': { target: 'steady' },",
      ),
    ),
    fault(
      'a steady connection that goes offline connects anew',
      "'connection.live': { description: 'The network works",
      "'connection.offline': { target: 'connecting' }, 'connection.live': { description: 'The network works",
    ),
    fault(
      'a gap while credentials are fresh makes them old',
      "'credentials.aged': { description: 'They may end before the next try, or before reading goes on.', target: 'accepted' },",
      "'credentials.aged': { target: 'accepted' }, 'log.gap': { target: 'accepted' },",
    ),
    fault(
      'the end of a log is nothing while it is full',
      "'consumer.drained': { target: 'connecting' },",
      "'consumer.drained': { target: 'connecting' }, 'log.ended': {},",
    ),
    fault(
      'a routeless one of several ends it all',
      "outcomeOf(event).next === 'routeless' && hasOther(context)",
      "outcomeOf(event).next === 'routeless' && !hasOther(context)",
    ),
    fault(
      'what is barred is barred where it is the last',
      "outcomeOf(event).next === 'barred' && hasOpenRung(context)",
      "outcomeOf(event).next === 'barred'",
    ),
    fault(
      'the whole ladder costs no try',
      '{ ...left, [transport]: Math.max(0, left[transport] - 1) }',
      '{ ...left, [transport]: left[transport] }',
    ),
  ],
};

/** The same, in what the chart reckons with. */
export const ladderFaults: FaultsOf = {
  chart: 'transport',
  file: 'machines/transport/context.ts',
  entry: 'machines/transport/transport.machine.ts',
  faults: [
    fault('passes are counted to four', 'Math.min(passes + 1, 5)', 'Math.min(passes + 1, 4)'),
    fault(
      'the ladder begins anew with what is barred',
      'left: barred.reduce((left, name) => ({ ...left, [name]: 0 }), tries)',
      'left: tries',
    ),
    fault('where all are barred none is tried', '{ ...again, left: again.tries, barred: [] }', 'again'),
    fault(
      'a transport without a route has its tries',
      'tries: { ...tries, [name]: 0 }, left: { ...left, [name]: 0 }',
      'tries: { ...tries, [name]: 0 }, left',
    ),
    fault(
      'a transport without a route stays barred',
      'barred: barred.filter((other) => other !== name) }; }',
      'barred }; }',
      'withoutTransport',
    ),
    fault('a transport is barred twice', '[...barred.filter((other) => other !== name), name].sort()', '[...barred, name].sort()'),
    fault('what is barred has its tries', 'left: { ...left, [name]: 0 } }; }', 'left }; }', 'barTransport'),
    fault('what works after all has one try', 'left: { ...left, [name]: tries[name] } }', 'left: { ...left, [name]: 1 } }'),
    fault('climbs that fail are counted to five', 'Math.min(context.climbFailures + 1, 4)', 'Math.min(context.climbFailures + 1, 5)'),
    fault('a climb that is barred is no failure', '? { climbFailures, ...barTransport(context, probe) }', '? barTransport(context, probe)'),
    fault(
      'a climb without a route is no failure',
      'return { climbFailures, ...withoutTransport(context, probe) }',
      'return withoutTransport(context, probe)',
    ),
    fault('the last rung may be barred', "transport !== 'poll' && rungs", 'rungs'),
    fault('the next rung is asked beside, not the lowest', '.reverse()', ''),
    fault('a rung without tries left is not asked beside', 'rungBeside({ tries, transport }', 'rungBeside({ left: tries, transport }'),
    fault(
      'a rung without tries left is not climbed to',
      'nextProbe({ tries, transport, probe }',
      'nextProbe({ left: tries, transport, probe }',
    ),
    fault('a rung without tries left is no other', 'hasOther({ tries, transport }', 'hasOther({ left: tries, transport }'),
    fault('a rung that is spent is gone down to', 'hasLowerRung({ left, transport }', 'hasLowerRung({ tries: left, transport }'),
    fault('a rung that is spent is open', 'hasOpenRung({ left, transport }', 'hasOpenRung({ tries: left, transport }'),
    fault('a transport is its own other', 'name !== transport && tries[name] > 0', 'tries[name] > 0'),
    fault('a transport is below itself', 'rungs.slice(rungs.indexOf(transport) + 1).some', 'rungs.slice(rungs.indexOf(transport)).some'),
    fault('the same is climbed to again and again', 'last < present ? last + 1 : 0', 'last < present ? last : 0'),
    fault('what was asked below hides what is above', 'last < present ? last + 1 : 0', 'last + 1'),
    fault('the first retry rests twice as long', '(failed > 0 ? failed : passes) - 1', 'failed > 0 ? failed : passes'),
    fault('a ladder that failed again rests no longer', '(failed > 0 ? failed : passes) - 1', 'failed - 1'),
    fault('rests grow for ever', 'baseMs = 500, maxMs = 5000', 'baseMs = 500, maxMs = 500_000'),
    fault('the rests begin with five seconds', 'baseMs = 500', 'baseMs = 5000'),
    fault('a climb is tried after an hour', 'CLIMB_MS_MAX = 300_000', 'CLIMB_MS_MAX = 3_000_000'),
    fault('climbs that fail are tried as often', 'jitter: 0.4 }, climbFailures, fraction', 'jitter: 0.4 }, 0, fraction'),
    fault('a fast cycle tries as often as the others', "strategy === 'fast-cycle' ?", "strategy !== 'fast-cycle' ?"),
    fault('a fast cycle tries long polls as often as the others', 'poll: Math.min(tries.poll, 1)', 'poll: tries.poll'),
    fault('a fast cycle tries what may not be used', 'ws: Math.min(tries.ws, 1)', 'ws: 1'),
    fault('a new connection rests as long as the former', 'passes, retryAfterMs: 0 }', 'passes, retryAfterMs: context.retryAfterMs }'),
    fault('long polls come before events', "['ws', 'sse', 'poll']", "['ws', 'poll', 'sse']"),
  ],
};

/** The same, as who asks beside reads it. */
export const wordFaults: FaultsOf = {
  chart: 'transport',
  file: 'machines/transport/ending.ts',
  entry: 'machines/transport/transport.machine.ts',
  faults: [
    fault(
      'a stranger says which routes there are',
      "ending.kind !== 'refused' || isStrange(ending)) return false",
      "ending.kind !== 'refused') return false",
    ),
    fault(
      'a stranger’s word is the server’s',
      "ending.kind === 'refused' && !isStrange(ending) &&",
      "ending.kind === 'refused' &&",
      'isServersWord',
    ),
    fault('an overloaded server has spoken', '!isPassingRefusal(ending) && !isRouteMissing', '!isRouteMissing', 'isServersWord'),
    fault('a missing route is the server’s word', '!isRouteMissing(ending) &&', '', 'isServersWord'),
    fault('a missing stream is the server’s word', '&& !isStreamRouteMissing(transport, ending);', ';', 'isServersWord'),
  ],
};
