import { expect } from 'vitest';
import type { ChannelEventType, ChannelPhase } from '../../client/transports/channel.phases.ts';
import type { SocketEventType, SocketPhase } from '../../client/transports/multiplexed.phases.ts';
import { fakeSockets, passengersOf, type FakeSockets, type Passenger } from './fake-sockets.ts';

const CONFIRMED = 'SUBSCRIPTION_CONFIRMED';
const ENDED = 'SUBSCRIPTION_ENDED';
const granted = { extensions: ['multiplex'] };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tasks on sockets whose other ends are the test. */
export interface SocketScene {
  readonly port: FakeSockets;
  /** The passengers by their tasks. */
  readonly by: Record<string, Passenger>;
  /** A task comes. */
  come(...taskIds: string[]): void;
  leave(taskId: string): void;
  /** What the nth socket was sent, and what each task has heard, since it was last asked; and the sockets that are open. */
  happened(): Promise<Record<string, readonly string[]>>;
}

type Act = (scene: SocketScene) => unknown;

/** What has to happen on one event in one phase of a socket, or of a task on it. */
export interface SocketRow {
  readonly name: string;
  readonly arrange: Act;
  readonly act: Act;
  /** `sent 0` is what went to the first socket, `a` what the task heard, `open` the sockets that are open afterwards. */
  readonly then: Readonly<Record<string, readonly string[]>>;
  /** What shows that it goes on as it should. */
  readonly next?: Act | undefined;
}

export function socketScene(): SocketScene {
  const port = fakeSockets();
  const ride = passengersOf(port);
  const by: Record<string, Passenger> = {};
  return {
    port,
    by,
    come: (...taskIds) => taskIds.forEach((taskId) => (by[taskId] = ride(taskId))),
    leave: (taskId) => by[taskId]?.socket.close(),
    async happened() {
      await turn();
      const sent = port.all.map((socket, index) => [`sent ${index}`, socket.sent.splice(0)] as const);
      // The test's own list, which the passenger fills.
      const heard = Object.entries(by).map(([taskId, passenger]) => [taskId, (passenger.heard as string[]).splice(0)] as const);
      const open = port.all.flatMap(({ isClosed }, index) => (isClosed ? [] : [String(index)]));
      return Object.fromEntries([...sent, ...heard, ['open', open] as const].filter(([, what]) => what.length > 0));
    },
  };
}

const both =
  (...acts: Act[]): Act =>
  async (scene) => {
    for (const act of acts) await act(scene);
  };
/** In one turn, so that nothing else comes in between. */
const atOnce =
  (...acts: Act[]): Act =>
  (scene) =>
    acts.forEach((act) => void act(scene));
const come =
  (...taskIds: string[]): Act =>
  (scene) =>
    scene.come(...taskIds);
const leave =
  (taskId: string): Act =>
  (scene) =>
    scene.leave(taskId);
const opened: Act = ({ port }) => port.nth(0).listener.opened();
const grant: Act = ({ port }) => port.nth(0).grant();
const withhold: Act = ({ port }) => port.nth(0).say('EXTENSIONS_GRANTED', '', { extensions: ['gap'] });
const say =
  (type: string, taskId: string, more?: object): Act =>
  ({ port }) =>
    port.nth(0).say(type, taskId, more);
const fact = (taskId: string): Act => say('TASK_MESSAGE', taskId, { eventId: '1-1' });
const cut: Act = ({ port }) => port.nth(0).listener.cut();
const close =
  (code: number): Act =>
  ({ port }) =>
    port.nth(0).listener.closed(code);
const then =
  (act: Act, wanted: Readonly<Record<string, readonly string[]>>): Act =>
  async (scene) => {
    await act(scene);
    expect(await scene.happened()).toEqual(wanted);
  };

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

type Moves<Phase extends string, Event extends string> = Readonly<Record<Phase, Readonly<Partial<Record<Event, Phase>>>>>;

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

/** By hand, from the protocol ("Extensions", `multiplex`): every event that may come in every phase of a socket that tasks may share. */
export const socketRows: readonly SocketRow[] = [
  of('opening', 'socket.opened', opened, { 'sent 0': ['+a'], a: ['opened'], open: ['0'] }),
  of(
    'opening',
    'channel.added',
    come('c'),
    { open: ['0'] },
    then(both(opened, grant), { 'sent 0': ['+a', '+b', '+c'], a: ['opened'], b: ['opened'], c: ['opened'], open: ['0'] }),
  ),
  of('opening', 'channel.removed', leave('a'), { open: ['0'] }, then(opened, { 'sent 0': ['+b'], b: ['opened'], open: ['0'] })),
  of('opening', 'channels.gone', both(leave('a'), leave('b')), {}, then(come('c'), { open: ['1'] })),
  of('opening', 'socket.lost', cut, { a: ['cut'], b: ['cut'], open: ['0'] }, then(come('c'), { open: ['0', '1'] })),

  of('asking', 'grant.given', grant, { 'sent 0': ['+b'], b: ['opened'], open: ['0'] }),
  of(
    'asking',
    'grant.withheld',
    withhold,
    { a: ['frame EXTENSIONS_GRANTED'], open: ['0', '1'] },
    then(come('c'), { open: ['0', '1', '2'] }),
  ),
  of('asking', 'frame.granting', say(CONFIRMED, 'a', granted), { 'sent 0': ['+b'], a: [`frame ${CONFIRMED}`], b: ['opened'], open: ['0'] }),
  of(
    'asking',
    'frame.came',
    say(CONFIRMED, 'a'),
    { a: [`frame ${CONFIRMED}`], open: ['0', '1'] },
    then(come('c'), { open: ['0', '1', '2'] }),
  ),
  of(
    'asking',
    'channel.added',
    come('c'),
    { open: ['0'] },
    then(grant, { 'sent 0': ['+b', '+c'], b: ['opened'], c: ['opened'], open: ['0'] }),
  ),
  of('asking', 'channel.removed', leave('b'), { open: ['0'] }, then(grant, { open: ['0'] })),
  // Nobody can unsubscribe from a server that may not know the word: it is said when it does.
  of('asking', 'channel.unsubscribed', leave('a'), { open: ['0'] }, then(grant, { 'sent 0': ['-a', '+b'], b: ['opened'], open: ['0'] })),
  of('asking', 'channels.gone', both(leave('a'), leave('b')), {}, then(come('c'), { open: ['1'] })),
  of(
    'asking',
    'socket.lost',
    close(1008),
    { a: ['closed 1008'], open: ['0', '1'] },
    then(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+b'], b: ['opened'], open: ['0', '1'] }),
  ),

  // Whoever had subscribed first may have left meanwhile.
  {
    ...of('asking', 'frame.granting', say(CONFIRMED, 'a', granted), { 'sent 0': ['-a', '+b'], b: ['opened'], open: ['0'] }),
    arrange: both(come('a', 'b'), opened, leave('a')),
  },
  { ...of('asking', 'frame.came', say(CONFIRMED, 'a'), { open: ['1'] }), arrange: both(come('a', 'b'), opened, leave('a')) },
  { ...of('asking', 'grant.withheld', withhold, { open: ['1'] }), arrange: both(come('a', 'b'), opened, leave('a')) },

  of('shared', 'grant.given', grant, { open: ['0'] }),
  of('shared', 'grant.withheld', withhold, { open: ['0'] }, then(fact('b'), { b: ['frame 1-1'], open: ['0'] })),
  of('shared', 'frame.granting', say(CONFIRMED, 'b', granted), { b: [`frame ${CONFIRMED}`], open: ['0'] }),
  of('shared', 'frame.came', fact('b'), { b: ['frame 1-1'], open: ['0'] }),
  of('shared', 'channel.added', come('c'), { 'sent 0': ['+c'], c: ['opened'], open: ['0'] }),
  of('shared', 'channel.removed', atOnce(come('c'), leave('c')), { open: ['0'] }, then(fact('b'), { b: ['frame 1-1'], open: ['0'] })),
  // What still comes for a subscription that was left is for nobody, until the server has ended it.
  of(
    'shared',
    'channel.unsubscribed',
    leave('a'),
    { 'sent 0': ['-a'], open: ['0'] },
    then(both(fact('a'), say(ENDED, 'a', { code: 1000 }), fact('a')), { b: ['frame 1-1'], open: ['0'] }),
  ),
  of(
    'shared',
    'channel.refused',
    both(come('c'), turn, say(ENDED, 'c', { code: 1013 })),
    { 'sent 0': ['+c'], c: ['opened'], open: ['0', '1'] },
    then(come('d'), { open: ['0', '1'] }),
  ),
  of('shared', 'channels.gone', both(leave('a'), leave('b')), { 'sent 0': ['-a'] }, then(come('c'), { open: ['1'] })),
  of('shared', 'socket.lost', cut, { a: ['cut'], b: ['cut'], open: ['0'] }, then(come('c'), { open: ['0', '1'] })),

  of('full', 'grant.given', grant, { open: ['0', '1'] }),
  of('full', 'grant.withheld', withhold, { open: ['0', '1'] }, then(fact('a'), { a: ['frame 1-1'], open: ['0', '1'] })),
  of('full', 'frame.granting', say(CONFIRMED, 'a', granted), { a: [`frame ${CONFIRMED}`], open: ['0', '1'] }),
  of('full', 'frame.came', fact('a'), { a: ['frame 1-1'], open: ['0', '1'] }, then(come('c'), { open: ['0', '1'] })),
  {
    ...of(
      'full',
      'channel.removed',
      leave('c'),
      { 'sent 0': ['-c'], open: ['0', '1'] },
      then(come('d'), { 'sent 0': ['+d'], d: ['opened'], open: ['0', '1'] }),
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
    then(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+b'], b: ['opened'], open: ['0', '1'] }),
  ),

  all('grant.given', grant, 'frame EXTENSIONS_GRANTED'),
  all('grant.withheld', withhold, 'frame EXTENSIONS_GRANTED'),
  all('frame.granting', say(CONFIRMED, 'a', granted), `frame ${CONFIRMED}`),
  all('frame.came', say(ENDED, 'x', { code: 1013 }), `frame ${ENDED}`),
  of('alone', 'channel.removed', leave('a'), {}),
  of('alone', 'channels.gone', leave('a'), {}, then(come('c', 'd'), { open: ['1'] })),
  of('alone', 'socket.lost', close(1000), { a: ['closed 1000'], open: ['0'] }, then(come('c', 'd'), { open: ['0', '1'] })),

  silent('socket.opened', opened),
  silent('grant.given', grant),
  silent('grant.withheld', withhold),
  silent('frame.granting', say(CONFIRMED, 'a', granted)),
  silent('frame.came', fact('a')),
  silent('socket.lost', cut),
  // The last one that leaves ends its subscription with its socket.
  { ...of('over', 'channel.unsubscribed', leave('a'), {}), arrange: inPhase.alone },
];

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

/** By hand, from the protocol: every event that may come for one task, in every phase of it. */
export const channelRows: readonly SocketRow[] = [
  on('waiting', 'place.given', () => undefined, { ...invited, x: ['opened'], open: ['0'] }),
  {
    ...on(
      'waiting',
      'place.denied',
      come(),
      { a: [`frame ${CONFIRMED}`], open: ['0', '1'] },
      then(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+x'], x: ['opened'], open: ['0', '1'] }),
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
    then(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+x'], x: ['opened'], open: ['0', '1'] }),
  ),
  on('waiting', 'ended.closed', say(ENDED, 'x', { code: 1008 }), { x: ['closed 1008'], open: ['0'] }),
  on('waiting', 'ended.cut', say(ENDED, 'x', { code: 1006 }), { x: ['cut'], open: ['0'] }),
  { ...on('waiting', 'socket.unopened', cut, { a: ['cut'], x: ['cut'], open: ['0'] }), arrange: come('a') },
  on(
    'waiting',
    'socket.gone',
    cut,
    { a: ['cut'], b: ['cut'], open: ['0', '1'] },
    then(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+x'], x: ['opened'], open: ['0', '1'] }),
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
    then(say(ENDED, 'x', { code: 1000 }), { x: ['closed 1000'], open: ['0'] }),
  ),
  // Was not confirmed, so it cannot have come to its end: of another subscription.
  on(
    'asked',
    'ended.done',
    say(ENDED, 'x', { code: 1000 }),
    { open: ['0'] },
    then(say(CONFIRMED, 'x'), { x: [`frame ${CONFIRMED}`], open: ['0'] }),
  ),
  on(
    'asked',
    'ended.full',
    say(ENDED, 'x', { code: 1013 }),
    { open: ['0', '1'] },
    then(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+x'], x: ['opened'], open: ['0', '1'] }),
  ),
  on(
    'asked',
    'ended.closed',
    say(ENDED, 'x', { code: 1008 }),
    { x: ['closed 1008'], open: ['0'] },
    then(come('x'), { 'sent 0': ['+x'], x: ['opened'], open: ['0'] }),
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
    then(come('x'), { 'sent 0': ['+x'], x: ['opened'], open: ['0'] }),
  ),
  on(
    'confirmed',
    'ended.full',
    say(ENDED, 'x', { code: 1013 }),
    { open: ['0', '1'] },
    then(({ port }) => port.nth(1).listener.opened(), { 'sent 1': ['+x'], x: ['opened'], open: ['0', '1'] }),
  ),
  on('confirmed', 'ended.closed', say(ENDED, 'x', { code: 4403 }), { x: ['closed 4403'], open: ['0'] }),
  on('confirmed', 'ended.cut', say(ENDED, 'x', { code: 1006 }), { x: ['cut'], open: ['0'] }),
  on('confirmed', 'socket.gone', cut, { a: ['cut'], x: ['cut'], open: ['0'] }),
  on('confirmed', 'channel.closed', leave('x'), { 'sent 0': ['-x'], open: ['0'] }, then(hears, { open: ['0'] })),
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

function whenFrame(passenger: Passenger | undefined, act: () => void): void {
  const heard = passenger?.heard as string[];
  const push = heard.push.bind(heard);
  heard.push = (...what) => {
    act();
    return push(...what);
  };
}

export async function trySocketRow({ act, then: wanted, next }: SocketRow, scene: SocketScene): Promise<void> {
  await act(scene);
  expect(await scene.happened()).toEqual(wanted);
  await next?.(scene);
}
