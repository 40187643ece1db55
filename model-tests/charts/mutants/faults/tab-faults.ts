import { fault, type FaultsOf } from './fault.ts';

/** What may go wrong between tabs. */
export const tabFaults: FaultsOf = {
  chart: 'tab',
  file: 'client/tabs/tab.machine.ts',
  faults: [
    fault('any leader is the one that is followed', "'leader' in event && event.leader === context.leader", "'leader' in event"),
    fault('the first leader is followed for ever', 'event.leader : context.leader', '(context.leader ?? event.leader) : context.leader'),
    fault('nobody in particular is followed', "leader: context.leader ?? ''", "leader: ''"),
    fault('every platform is believed to have locks', 'canShare: input?.canShare ?? true', 'canShare: true'),
    fault('a leader is given up after half a second', 'silence: 5_000', 'silence: 500'),
    fault('a leader is asked once a minute', 'pulse: 5_000', 'pulse: 50_000'),
    fault('dead tabs stay for ten minutes', 'sweepTime: 60_000', 'sweepTime: 600_000'),
    fault(
      'a leader that is refused the lock leads on',
      "tags: ['leading'], invoke: { src: 'lead', id: 'lead' }, on: {",
      "tags: ['leading'], invoke: { src: 'lead', id: 'lead' }, on: { 'lock.refused': {},",
    ),
    fault(
      'a leader follows whoever says that he leads',
      "tags: ['leading'], invoke: { src: 'lead', id: 'lead' }, on: {",
      "tags: ['leading'], invoke: { src: 'lead', id: 'lead' }, on: { 'leader.named': { target: 'following' },",
    ),
    fault(
      'a late answer ends the seizing',
      "on: { 'lock.held': { target: 'leading' } },",
      "on: { 'lock.held': { target: 'leading' }, 'leader.answered': { target: 'following' } },",
    ),
    fault(
      'a leader that is named ends the seizing',
      "on: { 'lock.held': { target: 'leading' } },",
      "on: { 'lock.held': { target: 'leading' }, 'leader.named': { target: 'following' } },",
    ),
    fault(
      'a tab alone joins the others',
      "invoke: { src: 'connectAlone', id: 'direct' },",
      "invoke: { src: 'connectAlone', id: 'direct' }, on: { 'leader.named': { target: 'together' } },",
    ),
    fault(
      'whoever leads cannot be closed',
      "tags: ['leading'], invoke: { src: 'lead', id: 'lead' }, on: {",
      "tags: ['leading'], invoke: { src: 'lead', id: 'lead' }, on: { 'tab.close': {},",
    ),
    fault(
      'a frozen leader is looked for',
      "description: 'The leader is frozen.', target: '#tab.together.seizing'",
      "target: '#tab.together.following.seeking'",
    ),
    fault(
      'a leader is doubted once',
      "silence: { target: 'doubting' } }, }, doubting: { description: 'Asks once more: after sleep a timer may ring before an answer is heard.', invoke: { src: 'askLeader'",
      "silence: { target: '#tab.together.seizing' } }, }, doubting: { invoke: { src: 'askLeader'",
    ),
    fault(
      'an answer of anybody is a leader',
      "invoke: { src: 'seekLeader', id: 'seek' },",
      "invoke: { src: 'seekLeader', id: 'seek' }, on: { 'leader.answered': { target: '#tab.together.following.guided' } },",
    ),
    fault(
      'all tabs are asked who was to be asked alone',
      "invoke: { src: 'askLeader', id: 'ask' },",
      "invoke: { src: 'seekLeader', id: 'ask' },",
    ),
    fault('the lock is let go by another name', "releaseLock: stopChild('lock')", "releaseLock: stopChild('claim')"),
    fault('whoever follows lets go of what he followed only when he closes', "exit: 'forgetLeader',", ''),
  ],
};
