import type { PhaseTable } from '../../machines/index.ts';

/** Where a viewer stands. */
export type ViewerPhase = 'reading' | 'opening' | 'behind' | 'retrying' | 'level' | 'ending' | 'over';

/** What a viewer's table is told. */
export type ViewerEventType =
  /** The tail brought new facts. */
  | 'facts.told'
  /** The tail brought new bytes of a part, and the viewer is shown parts. */
  | 'part.told'
  /** The repair found that the store has facts which the viewer was not told of. */
  | 'facts.missed'
  /** The tail tells of this task from now on. */
  | 'tail.opened'
  /** On a shared connection: it may read. */
  | 'turn.came'
  /** On a shared connection: it may read, but there is no room to show anything. */
  | 'turn.crowded'
  | 'page.read'
  /** There is no such task any more. */
  | 'task.gone'
  | 'store.failed'
  /** The store failed once more than may be. */
  | 'store.exhausted'
  /** What came was shown, and nothing is missing. */
  | 'log.level'
  /** A page was shown that was read before the tail was open: facts may have been committed in between. */
  | 'log.early'
  /** What fitted was shown, and there is more. */
  | 'log.more'
  /** What came does not continue what the viewer has: something is missing, or the history was replaced. */
  | 'log.torn'
  /** The last fact was shown. */
  | 'log.ended'
  /** The pause after a failure is over. */
  | 'pause.ended'
  /** All that it was given is taken. */
  | 'viewer.drained'
  /** It threw. */
  | 'viewer.broke'
  /** Its credentials end, it takes nothing any more, or the host closes. */
  | 'viewer.cut'
  /** Its connection is gone, or its client does not want this task any more. */
  | 'viewer.closed';

/** What is done for a viewer. */
export type ViewerEffect =
  | 'hold'
  | 'follow'
  | 'followPart'
  | 'dropHeld'
  | 'read'
  | 'readAgain'
  | 'takeTurn'
  | 'readInTurn'
  | 'endTurn'
  | 'show'
  | 'awaitTail'
  | 'awaitDrain'
  | 'awaitPause'
  | 'resetFailures'
  | 'logFailure'
  | 'release'
  | 'cut'
  | 'cutTask'
  | 'end';

/**
 * What becomes of a viewer. It waits for one thing at a time (a page, the tail, a pause, a drain), so that what answers another wait can
 * `never` come. What is told of the log, and of parts, while it waits changes nothing: it is read afterwards. Once it is over, what still comes changes
 * nothing.
 */
export const viewerPhases: PhaseTable<ViewerPhase, ViewerEventType, ViewerEffect> = {
  id: 'viewer',
  initial: { to: 'reading', effects: ['read'] },
  phases: {
    reading: {
      on: {
        'facts.told': { effects: ['hold'] },
        'part.told': 'nothing',
        'facts.missed': 'nothing',
        'tail.opened': { effects: ['takeTurn'] },
        'turn.came': { effects: ['readInTurn'] },
        'turn.crowded': { to: 'behind', effects: ['dropHeld', 'awaitDrain', 'endTurn'] },
        'page.read': { effects: ['show'] },
        'task.gone': { to: 'over', effects: ['release', 'cutTask'] },
        'store.failed': { to: 'retrying', effects: ['dropHeld', 'awaitPause'] },
        'store.exhausted': { to: 'over', effects: ['logFailure', 'release', 'cutTask'] },
        'log.level': { to: 'level', effects: ['resetFailures'] },
        'log.early': { to: 'opening', effects: ['dropHeld', 'awaitTail'] },
        'log.more': { to: 'behind', effects: ['dropHeld', 'awaitDrain'] },
        'log.torn': { effects: ['read'] },
        'log.ended': { to: 'ending', effects: ['dropHeld', 'awaitDrain'] },
        'pause.ended': 'never',
        'viewer.drained': 'never',
        'viewer.broke': { to: 'over', effects: ['release', 'cutTask'] },
        'viewer.cut': { to: 'over', effects: ['release', 'cut'] },
        'viewer.closed': { to: 'over', effects: ['release'] },
      },
    },
    opening: {
      on: {
        'facts.told': 'nothing',
        'part.told': 'nothing',
        'facts.missed': 'nothing',
        'tail.opened': { to: 'reading', effects: ['read'] },
        'turn.came': 'never',
        'turn.crowded': 'never',
        'page.read': 'never',
        'task.gone': 'never',
        'store.failed': { to: 'retrying', effects: ['awaitPause'] },
        'store.exhausted': { to: 'over', effects: ['logFailure', 'release', 'cutTask'] },
        'log.level': 'never',
        'log.early': 'never',
        'log.more': 'never',
        'log.torn': 'never',
        'log.ended': 'never',
        'pause.ended': 'never',
        'viewer.drained': 'never',
        'viewer.broke': 'never',
        'viewer.cut': { to: 'over', effects: ['release', 'cut'] },
        'viewer.closed': { to: 'over', effects: ['release'] },
      },
    },
    behind: {
      on: {
        'facts.told': 'nothing',
        'part.told': 'nothing',
        'facts.missed': 'nothing',
        'tail.opened': 'never',
        'turn.came': 'never',
        'turn.crowded': 'never',
        'page.read': 'never',
        'task.gone': 'never',
        'store.failed': 'never',
        'store.exhausted': 'never',
        'log.level': 'never',
        'log.early': 'never',
        'log.more': 'never',
        'log.torn': 'never',
        'log.ended': 'never',
        'pause.ended': 'never',
        'viewer.drained': { to: 'reading', effects: ['read'] },
        'viewer.broke': { to: 'over', effects: ['release', 'cutTask'] },
        'viewer.cut': { to: 'over', effects: ['release', 'cut'] },
        'viewer.closed': { to: 'over', effects: ['release'] },
      },
    },
    retrying: {
      on: {
        'facts.told': 'nothing',
        'part.told': 'nothing',
        'facts.missed': 'nothing',
        'tail.opened': 'never',
        'turn.came': 'never',
        'turn.crowded': 'never',
        'page.read': 'never',
        'task.gone': 'never',
        'store.failed': 'never',
        'store.exhausted': 'never',
        'log.level': 'never',
        'log.early': 'never',
        'log.more': 'never',
        'log.torn': 'never',
        'log.ended': 'never',
        'pause.ended': { to: 'reading', effects: ['readAgain'] },
        'viewer.drained': 'never',
        'viewer.broke': 'never',
        'viewer.cut': { to: 'over', effects: ['release', 'cut'] },
        'viewer.closed': { to: 'over', effects: ['release'] },
      },
    },
    level: {
      on: {
        'facts.told': { effects: ['follow'] },
        'part.told': { effects: ['followPart'] },
        'facts.missed': { to: 'reading', effects: ['read'] },
        'tail.opened': 'never',
        'turn.came': 'never',
        'turn.crowded': 'never',
        'page.read': 'never',
        'task.gone': 'never',
        'store.failed': 'never',
        'store.exhausted': 'never',
        'log.level': 'nothing',
        'log.early': 'never',
        'log.more': { to: 'behind', effects: ['awaitDrain'] },
        'log.torn': { to: 'reading', effects: ['read'] },
        'log.ended': { to: 'ending', effects: ['awaitDrain'] },
        'pause.ended': 'never',
        'viewer.drained': 'never',
        'viewer.broke': { to: 'over', effects: ['release', 'cutTask'] },
        'viewer.cut': { to: 'over', effects: ['release', 'cut'] },
        'viewer.closed': { to: 'over', effects: ['release'] },
      },
    },
    ending: {
      on: {
        'facts.told': 'nothing',
        'part.told': 'nothing',
        'facts.missed': 'nothing',
        'tail.opened': 'never',
        'turn.came': 'never',
        'turn.crowded': 'never',
        'page.read': 'never',
        'task.gone': 'never',
        'store.failed': 'never',
        'store.exhausted': 'never',
        'log.level': 'never',
        'log.early': 'never',
        'log.more': 'never',
        'log.torn': 'never',
        'log.ended': 'never',
        'pause.ended': 'never',
        'viewer.drained': { to: 'over', effects: ['release', 'end'] },
        'viewer.broke': { to: 'over', effects: ['release', 'cutTask'] },
        'viewer.cut': { to: 'over', effects: ['release', 'cut'] },
        'viewer.closed': { to: 'over', effects: ['release'] },
      },
    },
    over: {
      on: {
        'facts.told': 'nothing',
        'part.told': 'nothing',
        'facts.missed': 'nothing',
        'tail.opened': 'nothing',
        'turn.came': { effects: ['endTurn'] },
        'turn.crowded': { effects: ['endTurn'] },
        'page.read': 'nothing',
        'task.gone': 'nothing',
        'store.failed': 'nothing',
        'store.exhausted': 'nothing',
        'log.level': 'nothing',
        'log.early': 'nothing',
        'log.more': 'nothing',
        'log.torn': 'never',
        'log.ended': 'nothing',
        'pause.ended': 'never',
        'viewer.drained': 'nothing',
        'viewer.broke': 'nothing',
        'viewer.cut': 'nothing',
        'viewer.closed': 'nothing',
      },
    },
  },
};

/** What the table and its phases mean: for drawings and readers, and not for what runs. */
export const viewerDescriptions: { readonly table: string; readonly phases: Readonly<Record<ViewerPhase, string>> } = {
  table: 'One viewer of one log: reads it until it is level, then follows the tail.',
  phases: {
    reading: 'A page of the log is on its way, or its turn to read one is. Holds what is told meanwhile, as far as there is room.',
    opening: 'Has the history, and reads once more when the tail is open.',
    behind: 'There is more than it could be given. Keeps nothing, and reads on when it has taken what it was given.',
    retrying: 'The store failed, and is asked again after a pause. Keeps nothing.',
    level: 'Has every fact, and is given new ones as they come.',
    ending: 'Was given the last fact, and is closed properly when it has taken it.',
    over: 'Watches nothing any more. What it waited for may still come.',
  },
};
