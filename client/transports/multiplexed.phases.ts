import type { PhaseTable } from '../../machines/index.ts';

/** Where a socket stands that several tasks may share. */
export type SocketPhase = 'opening' | 'asking' | 'shared' | 'full' | 'alone' | 'over';

/** What the table of such a socket is told. */
export type SocketEventType =
  | 'socket.opened'
  /** A frame that only says what was granted, `multiplex` among it. */
  | 'grant.given'
  /** The same without `multiplex`. */
  | 'grant.withheld'
  /** A frame for a task that says, beside, that `multiplex` was granted. */
  | 'frame.granting'
  | 'frame.came'
  /** A task was attached. */
  | 'channel.added'
  /** A task is no longer on it. */
  | 'channel.removed'
  /** A task that had subscribed left by itself. */
  | 'channel.unsubscribed'
  /** The server has no room for a task, and shows others. */
  | 'channel.refused'
  /** No task is on it any more. */
  | 'channels.gone'
  /** Closed, cut, or its upgrade refused. */
  | 'socket.lost';

/** What is done for such a socket. */
export type SocketEffect =
  | 'openFirst'
  | 'openAll'
  | 'openLater'
  | 'sendWaitingOn'
  | 'unsubscribeFormer'
  | 'checkEmpty'
  | 'tellAll'
  | 'route'
  | 'noteFormer'
  | 'sendUnsubscribe'
  | 'forget'
  | 'closeSocket'
  | 'tellUnopened'
  | 'tellGone';

/** What becomes of a socket that several tasks may share. Tag `attachable`: there is, or may be, room for another task. */
export const multiplexedPhases: PhaseTable<SocketPhase, SocketEventType, SocketEffect> = {
  id: 'multiplexed',
  initial: { to: 'opening', effects: [] },
  phases: {
    opening: {
      tags: ['attachable'],
      on: {
        'socket.opened': { to: 'asking', effects: ['openFirst'] },
        'grant.given': 'never',
        'grant.withheld': 'never',
        'frame.granting': 'never',
        'frame.came': 'never',
        'channel.added': 'nothing',
        'channel.removed': 'nothing',
        'channel.unsubscribed': 'never',
        'channel.refused': 'never',
        'channels.gone': { to: 'over', effects: ['forget', 'closeSocket'] },
        'socket.lost': { to: 'over', effects: ['forget', 'tellUnopened'] },
      },
    },
    asking: {
      tags: ['attachable'],
      on: {
        'socket.opened': 'never',
        'grant.given': { to: 'shared', effects: ['unsubscribeFormer', 'openAll'] },
        'grant.withheld': { to: 'alone', effects: ['sendWaitingOn', 'checkEmpty', 'tellAll'] },
        'frame.granting': { to: 'shared', effects: ['unsubscribeFormer', 'openAll', 'route'] },
        'frame.came': { to: 'alone', effects: ['sendWaitingOn', 'checkEmpty', 'tellAll'] },
        'channel.added': 'nothing',
        'channel.removed': 'nothing',
        'channel.unsubscribed': { effects: ['noteFormer'] },
        'channel.refused': 'never',
        'channels.gone': { to: 'over', effects: ['forget', 'closeSocket'] },
        'socket.lost': { to: 'over', effects: ['forget', 'tellGone'] },
      },
    },
    shared: {
      tags: ['attachable'],
      on: {
        'socket.opened': 'never',
        'grant.given': 'nothing',
        'grant.withheld': 'nothing',
        'frame.granting': { effects: ['route'] },
        'frame.came': { effects: ['route'] },
        'channel.added': { effects: ['openLater'] },
        'channel.removed': 'nothing',
        'channel.unsubscribed': { effects: ['noteFormer', 'sendUnsubscribe'] },
        'channel.refused': { to: 'full', effects: [] },
        'channels.gone': { to: 'over', effects: ['forget', 'closeSocket'] },
        'socket.lost': { to: 'over', effects: ['forget', 'tellGone'] },
      },
    },
    full: {
      on: {
        'socket.opened': 'never',
        'grant.given': 'nothing',
        'grant.withheld': 'nothing',
        'frame.granting': { effects: ['route'] },
        'frame.came': { effects: ['route'] },
        'channel.added': 'never',
        'channel.removed': { to: 'shared', effects: [] },
        'channel.unsubscribed': 'never',
        'channel.refused': 'never',
        'channels.gone': 'never',
        'socket.lost': { to: 'over', effects: ['forget', 'tellGone'] },
      },
    },
    alone: {
      on: {
        'socket.opened': 'never',
        'grant.given': { effects: ['tellAll'] },
        'grant.withheld': { effects: ['tellAll'] },
        'frame.granting': { effects: ['tellAll'] },
        'frame.came': { effects: ['tellAll'] },
        'channel.added': 'never',
        'channel.removed': 'nothing',
        'channel.unsubscribed': 'never',
        'channel.refused': 'never',
        'channels.gone': { to: 'over', effects: ['forget', 'closeSocket'] },
        'socket.lost': { to: 'over', effects: ['forget', 'tellGone'] },
      },
    },
    over: {
      on: {
        'socket.opened': 'nothing',
        'grant.given': 'nothing',
        'grant.withheld': 'nothing',
        'frame.granting': 'nothing',
        'frame.came': 'nothing',
        'channel.added': 'never',
        'channel.removed': 'never',
        'channel.unsubscribed': 'nothing',
        'channel.refused': 'never',
        'channels.gone': 'never',
        'socket.lost': 'nothing',
      },
    },
  },
};

/** What the table and its phases mean: for drawings and readers, and not for what runs. */
export const multiplexedDescriptions: { readonly table: string; readonly phases: Readonly<Record<SocketPhase, string>> } = {
  table: 'One socket, and the tasks that share it where the server lets them.',
  phases: {
    opening: 'The upgrade is under way, all tasks wait.',
    asking: 'The first task subscribes; what comes first says whether others may.',
    shared: 'The server takes any number of tasks.',
    full: 'The server takes any number of tasks, but no further one now.',
    alone: 'The server takes no other task; all that comes is for the one that is here.',
    over: 'Nothing comes any more, and what comes nevertheless is for nobody.',
  },
};
