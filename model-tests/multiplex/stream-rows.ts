import type { SharedStreamEventType, SharedStreamPhase } from '../../client/streams/shared-stream.phases.ts';
import { come, each, end, grant, leave, refuse, type Act, type StreamRow } from './stream-fixture.ts';

const nothing: Act = () => undefined;
const inPhase: Readonly<Record<SharedStreamPhase, Act>> = {
  idle: nothing,
  opening: come('a'),
  live: each(come('a'), grant(0)),
  changing: each(come('a'), grant(0), come('b')),
  alone: each(come('a'), refuse(0, 404)),
  over: each(come('a'), refuse(0, 503)),
};
const of = (phase: SharedStreamPhase, event: SharedStreamEventType, act: Act, then: StreamRow['then']): StreamRow => ({
  name: `${phase} × ${event}`,
  arrange: inPhase[phase],
  act,
  then,
});

/** By hand: where the tasks of a stream go; every other event leaves them where they are. */
export const streamMoves: Readonly<Record<SharedStreamPhase, Partial<Record<SharedStreamEventType, SharedStreamPhase>>>> = {
  idle: { 'set.changed': 'opening', 'set.empty': 'over' },
  opening: { 'set.empty': 'over', 'next.granted': 'live', 'next.missing': 'alone', 'next.lost': 'idle', 'next.unwanted': 'idle' },
  live: { 'set.changed': 'changing', 'set.empty': 'over', 'live.lost': 'idle' },
  changing: {
    'set.empty': 'over',
    'next.granted': 'live',
    'next.missing': 'live',
    'next.lost': 'live',
    'next.unwanted': 'live',
    'live.lost': 'opening',
  },
  alone: { 'set.empty': 'over' },
  over: {},
};

/** By hand, from the protocol ("Many tasks over one stream"): every event that may come in every phase. */
export const streamRows: readonly StreamRow[] = [
  of('idle', 'set.changed', come('a', 'b'), { asked: ['a@,b@'], open: [0], held: 1 }),
  of(
    'idle',
    'set.empty',
    (fixture) => {
      fixture.come('a');
      fixture.leave('a');
    },
    {},
  ),

  of('opening', 'set.empty', leave('a'), {}),
  of('opening', 'next.granted', grant(0), { open: [0], held: 1 }),
  // Who came meanwhile is in the set of the next one.
  of('opening', 'next.granted', each(come('b'), grant(0)), { asked: ['a@,b@'], open: [0, 1], held: 1 }),
  of('opening', 'next.lost', each(come('b'), refuse(0, 503)), { a: ['refused 503'], asked: ['b@'], open: [1], held: 1 }),
  of('opening', 'next.missing', refuse(0, 404), { a: ['alone'] }),
  of('opening', 'next.lost', refuse(0, 503), { a: ['refused 503'] }),
  of('opening', 'next.unwanted', each(come('b'), leave('a')), { asked: ['b@'], open: [1], held: 1 }),

  of('live', 'set.changed', come('b'), { asked: ['a@,b@'], open: [0, 1], held: 1 }),
  of('live', 'set.empty', leave('a'), {}),
  of('live', 'live.lost', end(0), { a: ['lost'] }),

  of('changing', 'set.empty', leave('a', 'b'), {}),
  of('changing', 'next.granted', grant(1), { open: [1], held: 1 }),
  of(
    'changing',
    'next.granted',
    each(grant(1), (fixture) => fixture.say(1, { type: 'HEARTBEAT', taskId: 'b' })),
    { b: ['confirmed', 'HEARTBEAT'], open: [1], held: 1 },
  ),
  of('changing', 'next.granted', each(come('c'), grant(1)), { asked: ['a@,b@,c@'], open: [1, 2], held: 1 }),
  of('changing', 'next.unwanted', each(come('c'), leave('b')), { asked: ['a@,c@'], open: [0, 2], held: 1 }),
  of('changing', 'live.lost', each(end(0), refuse(1, 503)), { a: ['refused 503'], b: ['refused 503'] }),
  of('changing', 'next.missing', refuse(1, 405), { b: ['refused 405'], open: [0], held: 1 }),
  of('changing', 'next.lost', refuse(1, 503), { b: ['refused 503'], open: [0], held: 1 }),
  of('changing', 'next.unwanted', leave('b'), { open: [0], held: 1 }),
  // Whom the next one shows has lost nothing.
  of('changing', 'live.lost', end(0), { open: [1], held: 1 }),

  of('alone', 'set.changed', come('b'), { b: ['alone'] }),
  of('alone', 'set.empty', leave('a'), {}),

  of('over', 'set.empty', leave('a'), {}),
];
