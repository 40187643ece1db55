import { alike, fault, type FaultsOf } from './fault.ts';

/** What may go wrong with what follows the end of a connection. */
export const recoveryFaults: FaultsOf = {
  chart: 'recovery',
  file: 'machines/transport/recovery.machine.ts',
  faults: [
    fault(
      'a provider that failed is the server’s word',
      "ending.kind === 'mute' || ending.kind === 'unauthorized'",
      "ending.kind === 'mute'",
    ),
    fault(
      'a checkpoint that was dropped is dropped again',
      "of !== 'snapshot' && cursor === 'stored' && mayBe",
      "of !== 'snapshot' && cursor !== 'trusted' && mayBe",
    ),
    fault(
      'what the snapshot is refused for is a checkpoint’s fault',
      "of !== 'snapshot' && cursor === 'stored' && mayBe",
      "cursor === 'stored' && mayBe",
    ),
    fault('what was refused is not told', "next === 'failed' || next === 'misplaced' ? failure", "next === 'failed' ? failure"),
    fault('who is mute is asked for the snapshot', "ending.kind === 'lost' || ending.kind === 'mute'", "ending.kind === 'lost'"),
    fault('a body that ends is a failure', "ending.kind === 'unopened' || ending.kind === 'ended'", "ending.kind === 'unopened'"),
    fault(
      'a 403 is met with new credentials',
      "ending.kind === 'refused' && ending.status === 401",
      "ending.kind === 'refused' && (ending.status === 401 || ending.status === 403)",
    ),
    fault(
      'a 401 is final where only that may be renewed',
      "refreshable !== 'nothing' && ending.kind",
      "refreshable === 'closed' && ending.kind",
    ),
    fault(
      'every close for good is met with new credentials',
      "(refreshable === 'closed' && isForGood(ending))",
      "(refreshable !== 'nothing' && isForGood(ending))",
    ),
    fault(
      'any close is met with new credentials',
      "refreshable === 'closed' && isForGood(ending)",
      "refreshable === 'closed' && ending.kind === 'closed'",
    ),
    fault('a close of a stranger is final', "isForGood(ending) && !('isUnknown' in ending && ending.isUnknown)", 'isForGood(ending)'),
    fault('what the server asked to wait is forgotten', "(ending.kind === 'refused' ? ending.retryAfterMs : undefined) ?? 0", '0'),
    fault('a failure that was given up is told', "failure: next === 'failed' || next === 'misplaced' ? failure : null", 'failure'),
    fault('the snapshot’s answer is the connection’s', "of: 'snapshot' as const, ending", 'of: context.of, ending'),
    fault(
      'what the host says of its own failure is lost',
      "return { kind: 'unauthorized', ...failed };",
      "return { kind: 'unauthorized', error: failed.error };",
    ),
    fault(
      'a server that is overloaded refuses for good',
      'refusal?.code !== undefined && !isPassingRefusal(refusal) &&',
      'refusal?.code !== undefined &&',
    ),
    fault('a stranger refuses for good', 'refusal?.code !== undefined && !isPassing', '!!refusal && !isPassing'),
    fault(
      'a missing route of the snapshot is a refusal for good',
      '!isPassingRefusal(refusal) && !isRouteMissing(refusal)',
      '!isPassingRefusal(refusal)',
    ),
    fault('the snapshot is barred', "of !== 'snapshot' && isBarring(of, ending)", "isBarring(of === 'snapshot' ? 'ws' : of, ending)"),
    fault(
      'a transport without a snapshot’s route is left out',
      "of !== 'snapshot' && isStreamRouteMissing(of, ending)",
      "isStreamRouteMissing(of === 'snapshot' ? 'ws' : of, ending)",
    ),
    fault(
      'the connection’s missing route is the snapshot’s',
      "of === 'snapshot' && ending.kind === 'refused' && isRouteMissing",
      "ending.kind === 'refused' && isRouteMissing",
    ),
    fault(
      'an end that the host calls passing is only so where it was refused',
      "'verdict' in ending && ending.verdict === 'retry'",
      "ending.kind === 'refused' && ending.verdict === 'retry'",
    ),
    alike(
      'who has no verdict does not name one',
      fault(
        'what has no verdict is final',
        "'verdict' in ending && ending.verdict === 'final'",
        "'verdict' in ending && ending.verdict !== 'retry'",
      ),
    ),
    fault(
      'an appeal that nobody answers tries again',
      "onError: [{ guard: 'isStored', target: 'misplaced' }, { target: 'failed' }]",
      "onError: [{ guard: 'isStored', target: 'misplaced' }, { target: 'lost' }]",
    ),
    alike(
      'what ended it is remembered still, and says the same again',
      fault(
        'an appeal is told instead of the close',
        "{ target: 'failed' }, ], onError: [",
        "{ target: 'failed', actions: 'noteRefusal' }, ], onError: [",
      ),
    ),
    fault(
      'nobody who is signed out hears of it',
      "guard: 'hasNone', target: 'failed', actions: 'noteRefusal'",
      "guard: 'hasNone', target: 'failed'",
    ),
    fault('a provider that failed is asked again', "target: 'judging', actions: 'noteProviderFailure'", "target: 'judging'"),
    fault('what is lost says that it was barred', "output: { next: 'lost' }", "output: { next: 'barred' }"),
    fault('it begins as what nobody met', "of: input?.transport ?? 'ws'", "of: 'ws'"),
  ],
};

/** The same, in what endings mean. */
export const endingFaults: FaultsOf = {
  chart: 'recovery',
  file: 'machines/transport/ending.ts',
  entry: 'machines/transport/recovery.machine.ts',
  faults: [
    fault('a 1008 is no close for good', 'closeCode === 1008 ||', ''),
    fault('a 4500 is a close for good', 'closeCode <= 4499', 'closeCode <= 4500'),
    fault('a 4400 is no close for good', 'closeCode >= 4400', 'closeCode > 4400'),
    fault('a task that is not there is a route that is not there', "status === 404 && code !== 'TASK_NOT_FOUND'", 'status === 404'),
    fault('a 405 is the server’s word', 'status === 405 || status === 501', 'status === 501'),
    fault('a 501 passes', 'status === 405 || status === 501', 'status === 405'),
    fault(
      'a stranger is known by the page that he shows',
      "ending.kind === 'refused' && ending.code === undefined",
      "ending.kind === 'refused' && ending.isUnknown === true",
    ),
    fault('a stranger’s 401 bars', 'ending.status !== 401 && !isPassing', '!isPassing'),
    fault('a stranger who is overloaded bars', '&& !isPassingRefusal(ending) && (ending.isUnknown', '&& (ending.isUnknown'),
    fault('a redirection says nothing', 'ending.isUnknown === true || ending.status < 400', 'ending.isUnknown === true'),
    fault('any answer of a stranger bars', '(ending.isUnknown === true || ending.status < 400)', 'true'),
    fault(
      'long polls are barred',
      "transport === 'poll' || ending.kind !== 'refused' || !isStrange(ending)",
      "ending.kind !== 'refused' || !isStrange(ending)",
    ),
    fault(
      'long polls have a route of their own that may be missing',
      "transport === 'poll' || ending.kind !== 'refused' || isStrange(ending)",
      "ending.kind !== 'refused' || isStrange(ending)",
    ),
    alike(
      'whoever is a stranger has been met before that is asked',
      fault(
        'a stranger says which routes there are',
        "ending.kind !== 'refused' || isStrange(ending)) return false",
        "ending.kind !== 'refused') return false",
      ),
    ),
    fault('a 400 is the server’s word on a stream', 'ending.status === 400 || ending.status === 426', 'ending.status === 426'),
    fault('a 426 is the server’s word on a stream', 'ending.status === 400 || ending.status === 426', 'ending.status === 400'),
    fault('a 425 is final', 'status === 425 ||', ''),
    fault('a 408 is final', 'status === 408 ||', ''),
    fault('a 429 is final', 'status === 429 ||', ''),
    fault('a 500 is final', 'status >= 500', 'status > 500'),
    fault('a failure of the host’s says no cause', ', cause: ending.error }', ' }'),
    fault('a close says no code', '(${closeCode}).`, closeCode };', '(${closeCode}).` };'),
    fault('a refusal has no name of its own', "code: code ?? 'REQUEST_REFUSED'", "code: 'REQUEST_REFUSED'"),
    fault('a refusal says no words of its own', 'message: message ?? `The server', 'message: `The server'),
    fault('a refusal says no status', '`The server answered ${status}.`, status }', '`The server answered ${status}.` }'),
    fault('what cannot be sent is called a failure of the network', "unsendable: 'INVALID_ARGUMENT'", "unsendable: 'NETWORK_ERROR'"),
  ],
};
