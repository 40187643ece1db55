import type { PhaseTable } from '../../machines/index.ts';

/** Where one task stands that wants a socket. */
export type ChannelPhase = 'waiting' | 'asked' | 'confirmed' | 'over';

/** What a channel's table is told. */
export type ChannelEventType =
  /** Its socket is open for it. */
  | 'place.given'
  /** Its socket shows one task, and not this one. */
  | 'place.denied'
  | 'frame.came'
  /** The server's word that it shows the task. */
  | 'frame.confirmed'
  /** The server ended the subscription with 1000: the log has ended. */
  | 'ended.done'
  /** The server has no room for it on this socket, and shows others there. */
  | 'ended.full'
  /** The server ended the subscription with another close code. */
  | 'ended.closed'
  /** The same without one, or with the code of a cut. */
  | 'ended.cut'
  /** The socket never opened. */
  | 'socket.unopened'
  /** The socket was open, and is gone. */
  | 'socket.gone'
  /** The task needs no socket any more. */
  | 'channel.closed';

/** What is done for a channel. */
export type ChannelEffect = 'tellOpened' | 'deliver' | 'tellEnd' | 'leave' | 'unsubscribe' | 'fillSocket' | 'attach';

/** What becomes of one task on sockets that it may share: it is told what it would be told by one of its own. */
export const channelPhases: PhaseTable<ChannelPhase, ChannelEventType, ChannelEffect> = {
  id: 'channel',
  initial: { to: 'waiting', effects: ['attach'] },
  phases: {
    waiting: {
      on: {
        'place.given': { to: 'asked', effects: ['tellOpened'] },
        'place.denied': { effects: ['attach'] },
        'frame.came': { effects: ['deliver'] },
        'frame.confirmed': { to: 'confirmed', effects: ['deliver'] },
        'ended.done': 'nothing',
        'ended.full': { effects: ['leave', 'fillSocket', 'attach'] },
        'ended.closed': { to: 'over', effects: ['leave', 'tellEnd'] },
        'ended.cut': { to: 'over', effects: ['leave', 'tellEnd'] },
        'socket.unopened': { to: 'over', effects: ['tellEnd'] },
        'socket.gone': { effects: ['attach'] },
        'channel.closed': { to: 'over', effects: ['leave'] },
      },
    },
    asked: {
      on: {
        'place.given': 'nothing',
        'place.denied': 'nothing',
        'frame.came': { effects: ['deliver'] },
        'frame.confirmed': { to: 'confirmed', effects: ['deliver'] },
        'ended.done': 'nothing',
        'ended.full': { to: 'waiting', effects: ['leave', 'fillSocket', 'attach'] },
        'ended.closed': { to: 'over', effects: ['leave', 'tellEnd'] },
        'ended.cut': { to: 'over', effects: ['leave', 'tellEnd'] },
        'socket.unopened': 'never',
        'socket.gone': { to: 'over', effects: ['tellEnd'] },
        'channel.closed': { to: 'over', effects: ['leave', 'unsubscribe'] },
      },
    },
    confirmed: {
      on: {
        'place.given': 'nothing',
        'place.denied': 'never',
        'frame.came': { effects: ['deliver'] },
        'frame.confirmed': { effects: ['deliver'] },
        'ended.done': { to: 'over', effects: ['leave', 'tellEnd'] },
        'ended.full': { to: 'waiting', effects: ['leave', 'fillSocket', 'attach'] },
        'ended.closed': { to: 'over', effects: ['leave', 'tellEnd'] },
        'ended.cut': { to: 'over', effects: ['leave', 'tellEnd'] },
        'socket.unopened': 'never',
        'socket.gone': { to: 'over', effects: ['tellEnd'] },
        'channel.closed': { to: 'over', effects: ['leave', 'unsubscribe'] },
      },
    },
    over: {
      on: {
        'place.given': 'never',
        'place.denied': 'never',
        'frame.came': 'nothing',
        'frame.confirmed': 'never',
        'ended.done': 'never',
        'ended.full': 'never',
        'ended.closed': 'never',
        'ended.cut': 'never',
        'socket.unopened': 'never',
        'socket.gone': 'never',
        'channel.closed': 'never',
      },
    },
  },
};

/** What the table and its phases mean: for drawings and readers, and not for what runs. */
export const channelDescriptions: { readonly table: string; readonly phases: Readonly<Record<ChannelPhase, string>> } = {
  table: 'One task on a socket that it may share with others.',
  phases: {
    waiting:
      'Is on a socket that has not been opened for it. Has asked for nothing, and is attached to another socket where this one cannot be had.',
    asked: 'Was told that its socket is open, and has subscribed.',
    confirmed: 'The server shows the task.',
    over: 'Is told nothing any more, also where others of its socket still are.',
  },
};
