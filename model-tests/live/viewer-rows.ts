import { expect } from 'vitest';
import type { ViewerEventType, ViewerPhase } from '../../server/live/viewer.phases.ts';
import { viewerScene, type SceneOptions, type ViewerScene } from './viewer-scene.ts';

type Act = (scene: ViewerScene) => unknown;

/** What has to become of a viewer on one event in one phase. */
export interface ViewerRow {
  readonly phase: ViewerPhase;
  readonly event: ViewerEventType;
  /** Brings a new viewer there. */
  readonly arrange: () => Promise<ViewerScene>;
  readonly act: Act;
  /** All that is done for the viewer, in order. */
  readonly done: readonly string[];
  readonly to: ViewerPhase;
  /** What shows that it goes on as it should. */
  readonly next?: Act | undefined;
}

const cutOff = ['leaves the log', 'is counted no more'];
const stages: Readonly<Record<ViewerPhase, Act>> = {
  reading: () => undefined,
  opening: (scene) => scene.page(1, 2),
  behind: (scene) => scene.page(1, 2, { last: 9 }),
  retrying: (scene) => scene.failRead(),
  level: (scene) => scene.page(1, 2),
  ending: (scene) => scene.page(1, 2, { ended: true }),
  over: (scene) => scene.subscription.close(),
};

/** A viewer in a phase; in `over` one that was closed while it was in the phase `was`. */
function standing(phase: ViewerPhase, { was, before, ...options }: SceneOptions & { was?: ViewerPhase; before?: Act } = {}) {
  return async (): Promise<ViewerScene> => {
    const last = was ?? phase;
    const scene = viewerScene({ open: last !== 'opening', ...options });
    await before?.(scene);
    await scene.begin();
    await stages[last](scene);
    if (was) await stages[phase](scene);
    await scene.happened();
    return scene;
  };
}

function row(
  phase: ViewerPhase,
  event: ViewerEventType,
  act: Act,
  done: readonly string[],
  to: ViewerPhase,
  { next, ...how }: { next?: Act } & Parameters<typeof standing>[1] = {},
): ViewerRow {
  return { phase, event, arrange: standing(phase, how), act, done, to, next };
}

/** After `act`, exactly this is done. */
function then(act: Act, ...done: string[]): Act {
  return async (scene) => {
    await act(scene);
    expect(await scene.happened()).toEqual(done);
  };
}

const drains: Act = then((scene) => scene.drain(), 'reads');
const pauses: Act = then((scene) => scene.clock.advance(200), 'reads');
const givesItsTurnBack: Act = async (scene) => expect(await scene.hasTurn()).toBe(true);
/** The turns of a shared connection are taken by others until `act` is done. */
function whenTurnsEnd(act: Act = () => undefined): { turns: number; before: Act; act: Act } {
  const ends = new WeakMap<ViewerScene, () => void>();
  return {
    turns: 1,
    before: async (scene) => ends.set(scene, await scene.holdTurns()),
    act: async (scene) => {
      await act(scene);
      ends.get(scene)?.();
    },
  };
}
const turn = whenTurnsEnd();
const crowdedTurn = whenTurnsEnd((scene) => (scene.pending = 3_000));
const fails: Act = (scene) => {
  scene.onFacts = () => {
    throw new Error('broken');
  };
};
const failsToDrain: Act = (scene) => {
  scene.onDrainAsked = () => {
    throw new Error('broken');
  };
};
const closesWhenShown: Act = (scene) => {
  scene.onFacts = () => scene.subscription.close();
};
const both =
  (...acts: Act[]): Act =>
  async (scene) => {
    for (const act of acts) await act(scene);
  };

/** Ends that are the same wherever a viewer stands. Source: README of the live path, "A shared connection has one room". */
const endings = (['reading', 'opening', 'behind', 'retrying', 'level', 'ending'] as const).flatMap((phase) => [
  row(phase, 'viewer.cut', (scene) => scene.subscription.cut(), [...cutOff, 'cuts'], 'over'),
  row(phase, 'viewer.closed', (scene) => scene.subscription.close(), cutOff, 'over'),
]);

/** By hand, from the README of the live path and the protocol: every event that may come, in every phase. */
export const viewerRows: readonly ViewerRow[] = [
  // Reads, and holds what comes meanwhile.
  row('reading', 'facts.told', (scene) => scene.tell(1, 1), [], 'reading', {
    next: both(
      (scene) => expect(scene.subscription.holding).toBe(1),
      then((scene) => scene.page(1, 0, { last: 0 }), 'shows 1'),
    ),
  }),
  row('reading', 'facts.missed', (scene) => scene.repair(3), [], 'reading', {
    next: then((scene) => scene.page(1, 3), 'shows 1,2,3'),
  }),
  row('reading', 'tail.opened', (scene) => scene.openTail(), [], 'reading', {
    ...turn,
    open: false,
    next: then(turn.act, 'reads'),
  }),
  row('reading', 'turn.came', turn.act, ['reads'], 'reading', {
    ...turn,
    next: both(
      async (scene) => expect(await scene.hasTurn()).toBe(false),
      (scene) => scene.page(1, 2),
      givesItsTurnBack,
    ),
  }),
  row(
    'reading',
    'turn.crowded',
    both((scene) => scene.tell(1, 1), crowdedTurn.act),
    ['waits for drain'],
    'behind',
    { ...crowdedTurn, next: givesItsTurnBack },
  ),
  row('reading', 'page.read', (scene) => scene.page(1, 2), ['shows 1,2'], 'level'),
  row('reading', 'task.gone', (scene) => scene.gone(), [...cutOff, 'loses'], 'over'),
  row(
    'reading',
    'store.failed',
    both(
      (scene) => scene.tell(1, 1),
      (scene) => scene.failRead(),
    ),
    [],
    'retrying',
    { next: pauses },
  ),
  row('reading', 'store.exhausted', (scene) => scene.failRead(), ['warns', ...cutOff, 'loses'], 'over', { triesMax: 1 }),
  // A store that was asked in vain, and then gave everything, may fail again as often.
  row('reading', 'log.level', (scene) => scene.page(1, 2), ['shows 1,2'], 'level', {
    triesMax: 2,
    next: both(
      (scene) => scene.repair(3),
      (scene) => scene.failRead(),
      (scene) => expect(scene.subscription.phase).toBe('retrying'),
      (scene) => scene.clock.advance(200),
      (scene) => scene.page(2, 3),
      (scene) => scene.repair(4),
      (scene) => scene.failRead(),
      (scene) => expect(scene.subscription.phase).toBe('retrying'),
    ),
  }),
  row(
    'reading',
    'log.early',
    both(
      (scene) => scene.tell(3, 3),
      (scene) => scene.page(1, 2),
    ),
    ['shows 1,2'],
    'opening',
    {
      open: false,
      next: then((scene) => scene.openTail(), 'reads'),
    },
  ),
  row(
    'reading',
    'log.more',
    both(
      (scene) => scene.tell(10, 10),
      (scene) => scene.page(1, 2, { last: 9 }),
    ),
    ['shows 1,2', 'waits for drain'],
    'behind',
    { next: drains },
  ),
  row(
    'reading',
    'log.torn',
    both(
      (scene) => scene.tell(4, 4),
      (scene) => scene.page(1, 2),
    ),
    ['shows 1,2', 'reads'],
    'reading',
    {
      next: then((scene) => scene.page(2, 4), 'shows 3,4'),
    },
  ),
  row(
    'reading',
    'log.ended',
    both(
      (scene) => scene.tell(2, 2),
      (scene) => scene.page(1, 2, { ended: true }),
    ),
    ['shows 1,2', 'waits for drain'],
    'ending',
  ),
  row(
    'reading',
    'viewer.broke',
    both(fails, (scene) => scene.page(1, 2)),
    ['shows 1,2', 'error: A viewer failed.', ...cutOff, 'loses'],
    'over',
  ),
  // What is told while the tail opens is read when it is open.
  row('opening', 'facts.told', (scene) => scene.tell(3, 3), [], 'opening'),
  row('opening', 'facts.missed', (scene) => scene.repair(5), [], 'opening'),
  row('opening', 'tail.opened', (scene) => scene.openTail(), ['reads'], 'reading', { next: then((scene) => scene.page(2, 3), 'shows 3') }),
  row('opening', 'store.failed', (scene) => scene.openTail(new Error('down')), [], 'retrying', { next: pauses }),
  row('opening', 'store.exhausted', (scene) => scene.openTail(new Error('down')), ['warns', ...cutOff, 'loses'], 'over', { triesMax: 1 }),
  // Keeps nothing, and reads on when it has taken what it was given.
  row('behind', 'facts.told', (scene) => scene.tell(10, 10), [], 'behind', { next: drains }),
  row('behind', 'facts.missed', (scene) => scene.repair(12), [], 'behind', { next: drains }),
  row('behind', 'viewer.drained', (scene) => scene.drain(), ['reads'], 'reading', {
    next: then((scene) => scene.page(2, 9), 'shows 3,4,5,6,7,8,9'),
  }),
  {
    ...row(
      'behind',
      'viewer.broke',
      both(failsToDrain, (scene) => scene.page(1, 2, { last: 9 })),
      ['shows 1,2', 'waits for drain', 'error: A viewer failed.', ...cutOff, 'loses'],
      'over',
    ),
    arrange: standing('reading'),
  },
  row('retrying', 'facts.told', (scene) => scene.tell(1, 1), [], 'retrying', { next: pauses }),
  row('retrying', 'facts.missed', (scene) => scene.repair(2), [], 'retrying', { next: pauses }),
  row('retrying', 'pause.ended', (scene) => scene.clock.advance(200), ['reads'], 'reading', {
    next: then((scene) => scene.page(1, 2), 'shows 1,2'),
  }),
  // Who shares a connection takes no turn from the others while its store fails.
  row(
    'retrying',
    'pause.ended',
    both(
      (scene) => scene.holdTurns(),
      (scene) => scene.clock.advance(200),
    ),
    ['reads'],
    'reading',
    { turns: 1 },
  ),
  // Is given what comes, as much as fits.
  row('level', 'facts.told', (scene) => scene.tell(3, 3), ['shows 3'], 'level'),
  row('level', 'facts.missed', (scene) => scene.repair(5), ['reads'], 'reading', {
    next: then((scene) => scene.page(2, 5), 'shows 3,4,5'),
  }),
  row('level', 'log.level', (scene) => scene.tell(1, 2), [], 'level', { next: then((scene) => scene.tell(3, 3), 'shows 3') }),
  row(
    'level',
    'log.more',
    both(
      (scene) => (scene.pending = 3_500),
      (scene) => scene.tell(3, 4),
    ),
    ['shows 3', 'waits for drain'],
    'behind',
    {
      next: drains,
    },
  ),
  row('level', 'log.torn', (scene) => scene.tell(4, 4), ['reads'], 'reading'),
  row('level', 'log.torn', (scene) => scene.tell(3, 3, { another: true }), ['reads'], 'reading'),
  row('level', 'log.ended', (scene) => scene.tell(3, 3, { ended: true }), ['shows 3', 'waits for drain'], 'ending'),
  row(
    'level',
    'viewer.broke',
    both(fails, (scene) => scene.tell(3, 3)),
    ['shows 3', 'error: A viewer failed.', ...cutOff, 'loses'],
    'over',
  ),
  // Has everything, and is only waited for.
  row('ending', 'facts.told', (scene) => scene.tell(3, 3), [], 'ending'),
  row('ending', 'facts.missed', (scene) => scene.repair(9), [], 'ending'),
  row('ending', 'viewer.drained', (scene) => scene.drain(), [...cutOff, 'ends'], 'over'),
  {
    ...row(
      'ending',
      'viewer.broke',
      both(failsToDrain, (scene) => scene.page(1, 2, { ended: true })),
      ['shows 1,2', 'waits for drain', 'error: A viewer failed.', ...cutOff, 'loses'],
      'over',
    ),
    arrange: standing('reading'),
  },
  ...endings,
  // Nothing comes any more; what was asked before may still be answered.
  row('over', 'facts.told', (scene) => scene.tell(3, 3), [], 'over', { was: 'level' }),
  row('over', 'facts.missed', (scene) => scene.repair(9), [], 'over', { was: 'level' }),
  row('over', 'tail.opened', (scene) => scene.openTail(), [], 'over', { was: 'opening' }),
  row('over', 'turn.came', turn.act, [], 'over', { ...turn, was: 'reading', next: givesItsTurnBack }),
  row('over', 'turn.crowded', crowdedTurn.act, [], 'over', { ...crowdedTurn, was: 'reading', next: givesItsTurnBack }),
  row('over', 'page.read', (scene) => scene.page(1, 2), [], 'over', { was: 'reading' }),
  row('over', 'task.gone', (scene) => scene.gone(), [], 'over', { was: 'reading' }),
  row('over', 'store.failed', (scene) => scene.failRead(), [], 'over', { was: 'reading' }),
  row('over', 'store.exhausted', (scene) => scene.failRead(), [], 'over', { was: 'reading', triesMax: 1 }),
  ...(
    [
      ['log.level', true, {}],
      ['log.early', false, {}],
      ['log.more', true, { last: 9 }],
      ['log.ended', true, { ended: true }],
    ] as const
  ).map(([event, open, more]) => ({
    ...row(
      'over',
      event,
      both(closesWhenShown, (scene) => scene.page(1, 2, more)),
      ['shows 1,2', ...cutOff],
      'over',
    ),
    arrange: standing('reading', { open }),
  })),
  row('over', 'viewer.drained', (scene) => scene.drain(), [], 'over', { was: 'behind' }),
  {
    ...row(
      'over',
      'viewer.broke',
      both(
        (scene) => {
          scene.onFacts = () => {
            scene.subscription.close();
            throw new Error('broken');
          };
        },
        (scene) => scene.page(1, 2),
      ),
      ['shows 1,2', ...cutOff, 'error: A viewer failed.'],
      'over',
    ),
    arrange: standing('reading'),
  },
  row('over', 'viewer.cut', (scene) => scene.subscription.cut(), [], 'over', { was: 'level' }),
  row('over', 'viewer.closed', (scene) => scene.subscription.close(), [], 'over', { was: 'level' }),
];

/** Tries a row. After it, and after what comes next: who does not read keeps nothing, who is over leaves no timer, and nothing came that cannot. */
export async function tryRow({ act, done, to, next }: ViewerRow, scene: ViewerScene): Promise<void> {
  await act(scene);
  expect(await scene.happened()).toEqual(done);
  expect(scene.subscription.phase).toBe(to);
  expectSoundness(scene);
  await next?.(scene);
  expect(await scene.happened()).not.toContain('error: A viewer was told what cannot be.');
  expectSoundness(scene);
}

function expectSoundness({ subscription: { phase, holding }, clock }: ViewerScene): void {
  if (phase !== 'reading') expect(holding).toBe(0);
  if (phase === 'over') expect(clock.armed.length).toBe(0);
}
