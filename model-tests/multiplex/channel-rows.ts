import type { ChannelEventType, ChannelPhase } from '../../client/transports/channel.phases.ts';
import type { FakeChannel } from './fake-sockets.ts';
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
  type Act,
  type Moves,
  type SocketRow,
} from './socket-fixture.ts';

const channelIn: Readonly<Record<ChannelPhase, Act>> = {
  // The place on a shared socket is given a little later: the task itself comes with the act.
  waiting: both(come('a', 'b'), opened, grant, turn, say(CONFIRMED, 'a', granted)),
  asked: both(come('a', 'x'), opened, grant, turn, say(CONFIRMED, 'a', granted)),
  confirmed: both(come('a', 'x'), opened, grant, turn, say(CONFIRMED, 'a', granted), say(CONFIRMED, 'x', granted)),
  over: both(come('a', 'x'), opened, grant, turn, say(CONFIRMED, 'a', granted), leave('x')),
};
const on = (phase: ChannelPhase, event: ChannelEventType, act: Act, wanted: SocketRow['then'], next?: Act): SocketRow => ({
  name: `${phase} × ${event}`,
  arrange: channelIn[phase],
  act: phase === 'waiting' ? atOnce(come('x'), act) : act,
  then: wanted,
  next,
});
const hears = fact('x');
const invited = { 'sent 0': ['+x'] };

/** By hand: where one task goes; every other event leaves it where it is. */
export const channelMoves: Moves<ChannelPhase, ChannelEventType> = {
  waiting: {
    'place.given': 'asked',
    'frame.confirmed': 'confirmed',
    'ended.closed': 'over',
    'ended.cut': 'over',
    'socket.unopened': 'over',
    'channel.closed': 'over',
  },
  asked: {
    'frame.confirmed': 'confirmed',
    'ended.full': 'waiting',
    'ended.closed': 'over',
    'ended.cut': 'over',
    'socket.gone': 'over',
    'channel.closed': 'over',
  },
  confirmed: {
    'ended.done': 'over',
    'ended.full': 'waiting',
    'ended.closed': 'over',
    'ended.cut': 'over',
    'socket.gone': 'over',
    'channel.closed': 'over',
  },
  over: {},
};

/** By hand, from the protocol: every event that may come for one task, in every phase of it. */
export const channelRows: readonly SocketRow[] = [
  on('waiting', 'place.given', () => undefined, { ...invited, x: ['opened'], open: ['0'] }),
  {
    ...on(
      'waiting',
      'place.denied',
      come(),
      { a: [`frame ${CONFIRMED}`], open: ['0', '1'] },
      expecting(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+x'], x: ['opened'], open: ['0', '1'] }),
    ),
    arrange: both(come('a', 'x'), opened),
    act: say(CONFIRMED, 'a'),
  },
  on('waiting', 'frame.came', hears, { ...invited, x: ['frame 1-1', 'opened'], open: ['0'] }),
  on('waiting', 'frame.confirmed', say(CONFIRMED, 'x'), { x: [`frame ${CONFIRMED}`], open: ['0'] }),
  on('waiting', 'ended.done', say(ENDED, 'x', { code: 1000 }), { ...invited, x: ['opened'], open: ['0'] }),
  on(
    'waiting',
    'ended.full',
    say(ENDED, 'x', { code: 1013 }),
    { open: ['0', '1'] },
    expecting(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+x'], x: ['opened'], open: ['0', '1'] }),
  ),
  on('waiting', 'ended.closed', say(ENDED, 'x', { code: 1008 }), { x: ['closed 1008'], open: ['0'] }),
  on('waiting', 'ended.cut', say(ENDED, 'x', { code: 1006 }), { x: ['cut'], open: ['0'] }),
  { ...on('waiting', 'socket.unopened', cut, { a: ['cut'], x: ['cut'], open: ['0'] }), arrange: come('a') },
  on(
    'waiting',
    'socket.gone',
    cut,
    { a: ['cut'], b: ['cut'], open: ['0', '1'] },
    expecting(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+x'], x: ['opened'], open: ['0', '1'] }),
  ),
  on('waiting', 'channel.closed', leave('x'), { open: ['0'] }),

  { ...on('asked', 'place.given', grant, { 'sent 0': ['+x'], x: ['opened'], open: ['0'] }), arrange: both(come('a', 'x'), opened) },
  { ...on('asked', 'place.denied', say(CONFIRMED, 'x'), { x: [`frame ${CONFIRMED}`], open: ['0'] }), arrange: both(come('x'), opened) },
  on('asked', 'frame.came', hears, { x: ['frame 1-1'], open: ['0'] }),
  on(
    'asked',
    'frame.confirmed',
    say(CONFIRMED, 'x'),
    { x: [`frame ${CONFIRMED}`], open: ['0'] },
    expecting(say(ENDED, 'x', { code: 1000 }), { x: ['closed 1000'], open: ['0'] }),
  ),
  // Was not confirmed, so it cannot have come to its end: of another subscription.
  on(
    'asked',
    'ended.done',
    say(ENDED, 'x', { code: 1000 }),
    { open: ['0'] },
    expecting(say(CONFIRMED, 'x'), { x: [`frame ${CONFIRMED}`], open: ['0'] }),
  ),
  on(
    'asked',
    'ended.full',
    say(ENDED, 'x', { code: 1013 }),
    { open: ['0', '1'] },
    expecting(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+x'], x: ['opened'], open: ['0', '1'] }),
  ),
  on(
    'asked',
    'ended.closed',
    say(ENDED, 'x', { code: 1008 }),
    { x: ['closed 1008'], open: ['0'] },
    expecting(come('x'), { 'sent 0': ['+x'], x: ['opened'], open: ['0'] }),
  ),
  on('asked', 'ended.cut', say(ENDED, 'x', {}), { x: ['cut'], open: ['0'] }),
  on('asked', 'socket.gone', close(1012), { a: ['closed 1012'], x: ['closed 1012'], open: ['0'] }),
  on('asked', 'channel.closed', leave('x'), { 'sent 0': ['-x'], open: ['0'] }),

  on('confirmed', 'frame.came', hears, { x: ['frame 1-1'], open: ['0'] }),
  on('confirmed', 'frame.confirmed', say(CONFIRMED, 'x'), { x: [`frame ${CONFIRMED}`], open: ['0'] }),
  on(
    'confirmed',
    'ended.done',
    say(ENDED, 'x', { code: 1000 }),
    { x: ['closed 1000'], open: ['0'] },
    expecting(come('x'), { 'sent 0': ['+x'], x: ['opened'], open: ['0'] }),
  ),
  on(
    'confirmed',
    'ended.full',
    say(ENDED, 'x', { code: 1013 }),
    { open: ['0', '1'] },
    expecting(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+x'], x: ['opened'], open: ['0', '1'] }),
  ),
  on('confirmed', 'ended.closed', say(ENDED, 'x', { code: 4403 }), { x: ['closed 4403'], open: ['0'] }),
  on('confirmed', 'ended.cut', say(ENDED, 'x', { code: 1006 }), { x: ['cut'], open: ['0'] }),
  on('confirmed', 'socket.gone', cut, { a: ['cut'], x: ['cut'], open: ['0'] }),
  on('confirmed', 'channel.closed', leave('x'), { 'sent 0': ['-x'], open: ['0'] }, expecting(hears, { open: ['0'] })),
  // Confirmed before its place was given: a server that says more than it was asked.
  {
    ...on('confirmed', 'place.given', atOnce(come('y'), say(CONFIRMED, 'y')), { y: [`frame ${CONFIRMED}`], open: ['0'] }),
    arrange: channelIn.waiting,
  },
  // Others judge the same frame, and one of them ends this one.
  {
    ...on(
      'over',
      'frame.came',
      both(({ by }) => whenFrame(by.a, () => by.x?.socket.close()), say('TASK_MESSAGE', 'z', { eventId: '1-1' })),
      { 'sent 0': ['-x'], a: ['frame 1-1'], open: ['0'] },
    ),
    arrange: channelIn.confirmed,
  },
];

function whenFrame(channel: FakeChannel | undefined, act: () => void): void {
  const heard = channel?.heard as string[];
  const push = heard.push.bind(heard);
  heard.push = (...what) => {
    act();
    return push(...what);
  };
}
