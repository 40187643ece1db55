import type { PhaseTable } from '../../machines/index.ts';

/** Where the tasks stand that share one event stream. */
export type SharedStreamPhase = 'idle' | 'opening' | 'live' | 'changing' | 'alone' | 'over';

/** What their table is told. */
export type SharedStreamEventType =
  /** No stream shows, or is to show, all tasks that are here; or one is shown that is here no more. */
  | 'set.changed'
  /** No task is left. */
  | 'set.empty'
  /** The server has begun the stream that was asked for. */
  | 'next.granted'
  /** The server has no such streams. */
  | 'next.missing'
  /** Refused, cut or ended before the server had begun it. */
  | 'next.lost'
  /** Nobody is left for whom it was asked for. */
  | 'next.unwanted'
  /** The stream that was live is over. */
  | 'live.lost';

/** What is done for them. */
export type SharedStreamEffect =
  'open' | 'promote' | 'dropNext' | 'closeLive' | 'tellNext' | 'tellLive' | 'goAlone' | 'freePlace' | 'review' | 'forget';

/** What becomes of the tasks that share one stream: their set is in the request, so that another set is another stream, which is there before the former goes. */
export const sharedStreamPhases: PhaseTable<SharedStreamPhase, SharedStreamEventType, SharedStreamEffect> = {
  id: 'shared-stream',
  initial: { to: 'idle', effects: [] },
  phases: {
    idle: {
      on: {
        'set.changed': { to: 'opening', effects: ['open'] },
        'set.empty': { to: 'over', effects: ['forget'] },
        'next.granted': 'never',
        'next.missing': 'never',
        'next.lost': 'never',
        'next.unwanted': 'never',
        'live.lost': 'never',
      },
    },
    opening: {
      on: {
        'set.changed': 'never',
        'set.empty': { to: 'over', effects: ['forget', 'dropNext', 'freePlace'] },
        'next.granted': { to: 'live', effects: ['promote', 'review'] },
        'next.missing': { to: 'alone', effects: ['dropNext', 'freePlace', 'goAlone'] },
        'next.lost': { to: 'idle', effects: ['freePlace', 'tellNext', 'review'] },
        'next.unwanted': { to: 'idle', effects: ['dropNext', 'freePlace', 'review'] },
        'live.lost': 'never',
      },
    },
    live: {
      on: {
        'set.changed': { to: 'changing', effects: ['open'] },
        'set.empty': { to: 'over', effects: ['forget', 'closeLive', 'freePlace'] },
        'next.granted': 'never',
        'next.missing': 'never',
        'next.lost': 'never',
        'next.unwanted': 'never',
        'live.lost': { to: 'idle', effects: ['freePlace', 'tellLive', 'review'] },
      },
    },
    changing: {
      on: {
        'set.changed': 'never',
        'set.empty': { to: 'over', effects: ['forget', 'dropNext', 'closeLive', 'freePlace'] },
        'next.granted': { to: 'live', effects: ['closeLive', 'promote', 'review'] },
        'next.missing': { to: 'live', effects: ['tellNext'] },
        'next.lost': { to: 'live', effects: ['tellNext'] },
        'next.unwanted': { to: 'live', effects: ['dropNext', 'review'] },
        'live.lost': { to: 'opening', effects: ['tellLive', 'review'] },
      },
    },
    alone: {
      on: {
        'set.changed': { effects: ['goAlone'] },
        'set.empty': { to: 'over', effects: ['forget'] },
        'next.granted': 'never',
        'next.missing': 'never',
        'next.lost': 'never',
        'next.unwanted': 'never',
        'live.lost': 'never',
      },
    },
    over: {
      on: {
        'set.changed': 'never',
        'set.empty': 'nothing',
        'next.granted': 'never',
        'next.missing': 'never',
        'next.lost': 'never',
        'next.unwanted': 'never',
        'live.lost': 'never',
      },
    },
  },
};

/** What the table and its phases mean: for drawings and readers, and not for what runs. */
export const sharedStreamDescriptions: { readonly table: string; readonly phases: Readonly<Record<SharedStreamPhase, string>> } = {
  table: 'The tasks of one event stream, and the streams that show them.',
  phases: {
    idle: 'No stream is there.',
    opening: 'A stream was asked for, and none is live.',
    live: 'One stream shows what is wanted.',
    changing: 'One stream is live, and another one was asked for that shows the set as it is now.',
    alone: 'The server has no such streams: each task has one of its own.',
    over: 'No task is left.',
  },
};
