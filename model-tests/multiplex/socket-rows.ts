import type { SocketEventType, SocketPhase } from '../../client/transports/multiplexed.phases.ts';
import {
  CONFIRMED,
  ENDED,
  atOnce,
  both,
  close,
  come,
  cut,
  fact,
  grant,
  granted,
  leave,
  opened,
  say,
  expecting,
  turn,
  withhold,
  type Act,
  type Moves,
  type SocketRow,
} from './socket-fixture.ts';

const inPhase: Readonly<Record<SocketPhase, Act>> = {
  opening: come('a', 'b'),
  asking: both(come('a', 'b'), opened),
  shared: both(come('a', 'b'), opened, grant, turn, say(CONFIRMED, 'a', granted), say(CONFIRMED, 'b', granted)),
  full: both(come('a', 'b'), opened, grant, turn, say(CONFIRMED, 'a', granted), say(ENDED, 'b', { code: 1013 })),
  alone: both(come('a'), opened, say(CONFIRMED, 'a')),
  over: both(come('a'), opened, leave('a')),
};
const of = (phase: SocketPhase, event: SocketEventType, act: Act, wanted: SocketRow['then'], next?: Act): SocketRow => ({
  name: `${phase} × ${event}`,
  arrange: inPhase[phase],
  act,
  then: wanted,
  next,
});
/** On its own socket everything is for it. */
const all = (event: SocketEventType, act: Act, heard: string): SocketRow => of('alone', event, act, { a: [heard], open: ['0'] });
const silent = (event: SocketEventType, act: Act): SocketRow => of('over', event, act, {});

/** By hand: where a socket goes; every other event leaves it where it is. */
export const socketMoves: Moves<SocketPhase, SocketEventType> = {
  opening: { 'socket.opened': 'asking', 'channels.gone': 'over', 'socket.lost': 'over' },
  asking: {
    'grant.given': 'shared',
    'frame.granting': 'shared',
    'grant.withheld': 'alone',
    'frame.came': 'alone',
    'channels.gone': 'over',
    'socket.lost': 'over',
  },
  shared: { 'channel.refused': 'full', 'channels.gone': 'over', 'socket.lost': 'over' },
  full: { 'channel.removed': 'shared', 'socket.lost': 'over' },
  alone: { 'channels.gone': 'over', 'socket.lost': 'over' },
  over: {},
};

/** By hand: which phases may take another task. */
export const socketTags: Readonly<Partial<Record<SocketPhase, readonly string[]>>> = {
  opening: ['attachable'],
  asking: ['attachable'],
  shared: ['attachable'],
};

/** By hand, from the protocol ("Extensions", `multiplex`): every event that may come in every phase of a socket that tasks may share. */
export const socketRows: readonly SocketRow[] = [
  of('opening', 'socket.opened', opened, { 'sent 0': ['+a'], a: ['opened'], open: ['0'] }),
  of(
    'opening',
    'channel.added',
    come('c'),
    { open: ['0'] },
    expecting(both(opened, grant), { 'sent 0': ['+a', '+b', '+c'], a: ['opened'], b: ['opened'], c: ['opened'], open: ['0'] }),
  ),
  of('opening', 'channel.removed', leave('a'), { open: ['0'] }, expecting(opened, { 'sent 0': ['+b'], b: ['opened'], open: ['0'] })),
  of('opening', 'channels.gone', both(leave('a'), leave('b')), {}, expecting(come('c'), { open: ['1'] })),
  of('opening', 'socket.lost', cut, { a: ['cut'], b: ['cut'], open: ['0'] }, expecting(come('c'), { open: ['0', '1'] })),

  of('asking', 'grant.given', grant, { 'sent 0': ['+b'], b: ['opened'], open: ['0'] }),
  of(
    'asking',
    'grant.withheld',
    withhold,
    { a: ['frame EXTENSIONS_GRANTED'], open: ['0', '1'] },
    expecting(come('c'), { open: ['0', '1', '2'] }),
  ),
  of('asking', 'frame.granting', say(CONFIRMED, 'a', granted), { 'sent 0': ['+b'], a: [`frame ${CONFIRMED}`], b: ['opened'], open: ['0'] }),
  of(
    'asking',
    'frame.came',
    say(CONFIRMED, 'a'),
    { a: [`frame ${CONFIRMED}`], open: ['0', '1'] },
    expecting(come('c'), { open: ['0', '1', '2'] }),
  ),
  of(
    'asking',
    'channel.added',
    come('c'),
    { open: ['0'] },
    expecting(grant, { 'sent 0': ['+b', '+c'], b: ['opened'], c: ['opened'], open: ['0'] }),
  ),
  of('asking', 'channel.removed', leave('b'), { open: ['0'] }, expecting(grant, { open: ['0'] })),
  // Nobody can unsubscribe from a server that may not know the word: it is said when it does.
  of(
    'asking',
    'channel.unsubscribed',
    leave('a'),
    { open: ['0'] },
    expecting(grant, { 'sent 0': ['-a', '+b'], b: ['opened'], open: ['0'] }),
  ),
  of('asking', 'channels.gone', both(leave('a'), leave('b')), {}, expecting(come('c'), { open: ['1'] })),
  of(
    'asking',
    'socket.lost',
    close(1008),
    { a: ['closed 1008'], open: ['0', '1'] },
    expecting(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+b'], b: ['opened'], open: ['0', '1'] }),
  ),

  // Whoever had subscribed first may have left meanwhile.
  {
    ...of('asking', 'frame.granting', say(CONFIRMED, 'a', granted), { 'sent 0': ['-a', '+b'], b: ['opened'], open: ['0'] }),
    arrange: both(come('a', 'b'), opened, leave('a')),
  },
  { ...of('asking', 'frame.came', say(CONFIRMED, 'a'), { open: ['1'] }), arrange: both(come('a', 'b'), opened, leave('a')) },
  { ...of('asking', 'grant.withheld', withhold, { open: ['1'] }), arrange: both(come('a', 'b'), opened, leave('a')) },

  of('shared', 'grant.given', grant, { open: ['0'] }),
  of('shared', 'grant.withheld', withhold, { open: ['0'] }, expecting(fact('b'), { b: ['frame 1-1'], open: ['0'] })),
  of('shared', 'frame.granting', say(CONFIRMED, 'b', granted), { b: [`frame ${CONFIRMED}`], open: ['0'] }),
  of('shared', 'frame.came', fact('b'), { b: ['frame 1-1'], open: ['0'] }),
  of('shared', 'channel.added', come('c'), { 'sent 0': ['+c'], c: ['opened'], open: ['0'] }),
  of('shared', 'channel.removed', atOnce(come('c'), leave('c')), { open: ['0'] }, expecting(fact('b'), { b: ['frame 1-1'], open: ['0'] })),
  // What still comes for a subscription that was left is for nobody, until the server has ended it.
  of(
    'shared',
    'channel.unsubscribed',
    leave('a'),
    { 'sent 0': ['-a'], open: ['0'] },
    expecting(both(fact('a'), say(ENDED, 'a', { code: 1000 }), fact('a')), { b: ['frame 1-1'], open: ['0'] }),
  ),
  of(
    'shared',
    'channel.refused',
    both(come('c'), turn, say(ENDED, 'c', { code: 1013 })),
    { 'sent 0': ['+c'], c: ['opened'], open: ['0', '1'] },
    expecting(come('d'), { open: ['0', '1'] }),
  ),
  of('shared', 'channels.gone', both(leave('a'), leave('b')), { 'sent 0': ['-a'] }, expecting(come('c'), { open: ['1'] })),
  of('shared', 'socket.lost', cut, { a: ['cut'], b: ['cut'], open: ['0'] }, expecting(come('c'), { open: ['0', '1'] })),

  of('full', 'grant.given', grant, { open: ['0', '1'] }),
  of('full', 'grant.withheld', withhold, { open: ['0', '1'] }, expecting(fact('a'), { a: ['frame 1-1'], open: ['0', '1'] })),
  of('full', 'frame.granting', say(CONFIRMED, 'a', granted), { a: [`frame ${CONFIRMED}`], open: ['0', '1'] }),
  of('full', 'frame.came', fact('a'), { a: ['frame 1-1'], open: ['0', '1'] }, expecting(come('c'), { open: ['0', '1'] })),
  {
    ...of(
      'full',
      'channel.removed',
      leave('c'),
      { 'sent 0': ['-c'], open: ['0', '1'] },
      expecting(come('d'), { 'sent 0': ['+d'], d: ['opened'], open: ['0', '1'] }),
    ),
    arrange: both(
      come('a', 'b', 'c'),
      opened,
      grant,
      turn,
      say(CONFIRMED, 'a', granted),
      say(CONFIRMED, 'c', granted),
      say(ENDED, 'b', { code: 1013 }),
    ),
  },
  of(
    'full',
    'socket.lost',
    cut,
    { a: ['cut'], open: ['0', '1'] },
    expecting(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+b'], b: ['opened'], open: ['0', '1'] }),
  ),

  all('grant.given', grant, 'frame EXTENSIONS_GRANTED'),
  all('grant.withheld', withhold, 'frame EXTENSIONS_GRANTED'),
  all('frame.granting', say(CONFIRMED, 'a', granted), `frame ${CONFIRMED}`),
  all('frame.came', say(ENDED, 'x', { code: 1013 }), `frame ${ENDED}`),
  of('alone', 'channel.removed', leave('a'), {}),
  of('alone', 'channels.gone', leave('a'), {}, expecting(come('c', 'd'), { open: ['1'] })),
  of('alone', 'socket.lost', close(1000), { a: ['closed 1000'], open: ['0'] }, expecting(come('c', 'd'), { open: ['0', '1'] })),

  silent('socket.opened', opened),
  silent('grant.given', grant),
  silent('grant.withheld', withhold),
  silent('frame.granting', say(CONFIRMED, 'a', granted)),
  silent('frame.came', fact('a')),
  silent('socket.lost', cut),
  // The last one that leaves ends its subscription with its socket.
  { ...of('over', 'channel.unsubscribed', leave('a'), {}), arrange: inPhase.alone },
];
