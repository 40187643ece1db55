import { expect } from 'vitest';
import type { ViewerEventType, ViewerPhase } from '../../server/live/viewer.phases.ts';
import { viewerFixture, type ViewerFixtureOptions, type ViewerFixture } from './viewer-fixture.ts';

type Act = (fixture: ViewerFixture) => unknown;

/** What has to become of a viewer on one event in one phase. */
export interface ViewerRow {
  readonly phase: ViewerPhase;
  readonly event: ViewerEventType;
  /** Brings a new viewer there. */
  readonly arrange: () => Promise<ViewerFixture>;
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
  opening: (fixture) => fixture.page(1, 2),
  behind: (fixture) => fixture.page(1, 2, { last: 9 }),
  retrying: (fixture) => fixture.failRead(),
  level: (fixture) => fixture.page(1, 2),
  ending: (fixture) => fixture.page(1, 2, { ended: true }),
  over: (fixture) => fixture.subscription.close(),
};

/** A viewer in a phase; in `over` one that was closed while it was in the phase `was`. */
function standing(phase: ViewerPhase, { was, before, ...options }: ViewerFixtureOptions & { was?: ViewerPhase; before?: Act } = {}) {
  return async (): Promise<ViewerFixture> => {
    const last = was ?? phase;
    const fixture = viewerFixture({ open: last !== 'opening', ...options });
    await before?.(fixture);
    await fixture.begin();
    await stages[last](fixture);
    if (was) await stages[phase](fixture);
    await fixture.happened();
    return fixture;
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
  return async (fixture) => {
    await act(fixture);
    expect(await fixture.happened()).toEqual(done);
  };
}

const drains: Act = then((fixture) => fixture.drain(), 'reads');
const pauses: Act = then((fixture) => fixture.clock.advance(200), 'reads');
const givesItsTurnBack: Act = async (fixture) => expect(await fixture.hasTurn()).toBe(true);
/** The turns of a shared connection are taken by others until `act` is done. */
function whenTurnsEnd(act: Act = () => undefined): { turns: number; before: Act; act: Act } {
  const ends = new WeakMap<ViewerFixture, () => void>();
  return {
    turns: 1,
    before: async (fixture) => ends.set(fixture, await fixture.holdTurns()),
    act: async (fixture) => {
      await act(fixture);
      ends.get(fixture)?.();
    },
  };
}
const turn = whenTurnsEnd();
const crowdedTurn = whenTurnsEnd((fixture) => (fixture.pending = 3_000));
const fails: Act = (fixture) => {
  fixture.onFacts = () => {
    throw new Error('broken');
  };
};
const failsToDrain: Act = (fixture) => {
  fixture.onDrainAsked = () => {
    throw new Error('broken');
  };
};
const closesWhenShown: Act = (fixture) => {
  fixture.onFacts = () => fixture.subscription.close();
};
const both =
  (...acts: Act[]): Act =>
  async (fixture) => {
    for (const act of acts) await act(fixture);
  };

/** Ends that are the same wherever a viewer stands. Source: README of the live path, "A shared connection has one room". */
const endings = (['reading', 'opening', 'behind', 'retrying', 'level', 'ending'] as const).flatMap((phase) => [
  row(phase, 'viewer.cut', (fixture) => fixture.subscription.cut(), [...cutOff, 'cuts'], 'over'),
  row(phase, 'viewer.closed', (fixture) => fixture.subscription.close(), cutOff, 'over'),
]);

/** By hand, from the README of the live path and the protocol: every event that may come, in every phase. */
export const viewerRows: readonly ViewerRow[] = [
  // Reads, and holds what comes meanwhile.
  row('reading', 'facts.told', (fixture) => fixture.tell(1, 1), [], 'reading', {
    next: both(
      (fixture) => expect(fixture.subscription.holding).toBe(1),
      then((fixture) => fixture.page(1, 0, { last: 0 }), 'shows 1'),
    ),
  }),
  row('reading', 'part.told', (fixture) => fixture.tellPart(), [], 'reading', {
    parts: true,
    next: then((fixture) => fixture.page(1, 2), 'shows 1,2'),
  }),
  row('reading', 'facts.missed', (fixture) => fixture.repair(3), [], 'reading', {
    next: then((fixture) => fixture.page(1, 3), 'shows 1,2,3'),
  }),
  row('reading', 'tail.opened', (fixture) => fixture.openTail(), [], 'reading', {
    ...turn,
    open: false,
    next: then(turn.act, 'reads'),
  }),
  row('reading', 'turn.came', turn.act, ['reads'], 'reading', {
    ...turn,
    next: both(
      async (fixture) => expect(await fixture.hasTurn()).toBe(false),
      (fixture) => fixture.page(1, 2),
      givesItsTurnBack,
    ),
  }),
  row(
    'reading',
    'turn.crowded',
    both((fixture) => fixture.tell(1, 1), crowdedTurn.act),
    ['waits for drain'],
    'behind',
    { ...crowdedTurn, next: givesItsTurnBack },
  ),
  row('reading', 'page.read', (fixture) => fixture.page(1, 2), ['shows 1,2'], 'level'),
  row('reading', 'task.gone', (fixture) => fixture.gone(), [...cutOff, 'loses'], 'over'),
  row(
    'reading',
    'store.failed',
    both(
      (fixture) => fixture.tell(1, 1),
      (fixture) => fixture.failRead(),
    ),
    [],
    'retrying',
    { next: pauses },
  ),
  row('reading', 'store.exhausted', (fixture) => fixture.failRead(), ['warns', ...cutOff, 'loses'], 'over', { triesMax: 1 }),
  // A store that was asked in vain, and then gave everything, may fail again as often.
  row('reading', 'log.level', (fixture) => fixture.page(1, 2), ['shows 1,2'], 'level', {
    triesMax: 2,
    next: both(
      (fixture) => fixture.repair(3),
      (fixture) => fixture.failRead(),
      (fixture) => expect(fixture.subscription.phase).toBe('retrying'),
      (fixture) => fixture.clock.advance(200),
      (fixture) => fixture.page(2, 3),
      (fixture) => fixture.repair(4),
      (fixture) => fixture.failRead(),
      (fixture) => expect(fixture.subscription.phase).toBe('retrying'),
    ),
  }),
  row(
    'reading',
    'log.early',
    both(
      (fixture) => fixture.tell(3, 3),
      (fixture) => fixture.page(1, 2),
    ),
    ['shows 1,2'],
    'opening',
    {
      open: false,
      next: then((fixture) => fixture.openTail(), 'reads'),
    },
  ),
  row(
    'reading',
    'log.more',
    both(
      (fixture) => fixture.tell(10, 10),
      (fixture) => fixture.page(1, 2, { last: 9 }),
    ),
    ['shows 1,2', 'waits for drain'],
    'behind',
    { next: drains },
  ),
  row(
    'reading',
    'log.torn',
    both(
      (fixture) => fixture.tell(4, 4),
      (fixture) => fixture.page(1, 2),
    ),
    ['shows 1,2', 'reads'],
    'reading',
    {
      next: then((fixture) => fixture.page(2, 4), 'shows 3,4'),
    },
  ),
  row(
    'reading',
    'log.ended',
    both(
      (fixture) => fixture.tell(2, 2),
      (fixture) => fixture.page(1, 2, { ended: true }),
    ),
    ['shows 1,2', 'waits for drain'],
    'ending',
  ),
  row(
    'reading',
    'viewer.broke',
    both(fails, (fixture) => fixture.page(1, 2)),
    ['shows 1,2', 'error: A viewer failed.', ...cutOff, 'loses'],
    'over',
  ),
  // What is told while the tail opens is read when it is open.
  row('opening', 'facts.told', (fixture) => fixture.tell(3, 3), [], 'opening'),
  row('opening', 'part.told', (fixture) => fixture.tellPart(), [], 'opening', { parts: true }),
  row('opening', 'facts.missed', (fixture) => fixture.repair(5), [], 'opening'),
  row('opening', 'tail.opened', (fixture) => fixture.openTail(), ['reads'], 'reading', {
    next: then((fixture) => fixture.page(2, 3), 'shows 3'),
  }),
  row('opening', 'store.failed', (fixture) => fixture.openTail(new Error('down')), [], 'retrying', { next: pauses }),
  row('opening', 'store.exhausted', (fixture) => fixture.openTail(new Error('down')), ['warns', ...cutOff, 'loses'], 'over', {
    triesMax: 1,
  }),
  // Keeps nothing, and reads on when it has taken what it was given.
  row('behind', 'facts.told', (fixture) => fixture.tell(10, 10), [], 'behind', { next: drains }),
  row('behind', 'part.told', (fixture) => fixture.tellPart(), [], 'behind', { parts: true, next: drains }),
  row('behind', 'facts.missed', (fixture) => fixture.repair(12), [], 'behind', { next: drains }),
  row('behind', 'viewer.drained', (fixture) => fixture.drain(), ['reads'], 'reading', {
    next: then((fixture) => fixture.page(2, 9), 'shows 3,4,5,6,7,8,9'),
  }),
  {
    ...row(
      'behind',
      'viewer.broke',
      both(failsToDrain, (fixture) => fixture.page(1, 2, { last: 9 })),
      ['shows 1,2', 'waits for drain', 'error: A viewer failed.', ...cutOff, 'loses'],
      'over',
    ),
    arrange: standing('reading'),
  },
  row('retrying', 'facts.told', (fixture) => fixture.tell(1, 1), [], 'retrying', { next: pauses }),
  row('retrying', 'part.told', (fixture) => fixture.tellPart(), [], 'retrying', { parts: true, next: pauses }),
  row('retrying', 'facts.missed', (fixture) => fixture.repair(2), [], 'retrying', { next: pauses }),
  row('retrying', 'pause.ended', (fixture) => fixture.clock.advance(200), ['reads'], 'reading', {
    next: then((fixture) => fixture.page(1, 2), 'shows 1,2'),
  }),
  // Who shares a connection takes no turn from the others while its store fails.
  row(
    'retrying',
    'pause.ended',
    both(
      (fixture) => fixture.holdTurns(),
      (fixture) => fixture.clock.advance(200),
    ),
    ['reads'],
    'reading',
    { turns: 1 },
  ),
  // Is given what comes, as much as fits.
  row('level', 'facts.told', (fixture) => fixture.tell(3, 3), ['shows 3'], 'level'),
  row('level', 'part.told', (fixture) => fixture.tellPart(), ['reads'], 'reading', { parts: true }),
  row('level', 'facts.missed', (fixture) => fixture.repair(5), ['reads'], 'reading', {
    next: then((fixture) => fixture.page(2, 5), 'shows 3,4,5'),
  }),
  row('level', 'log.level', (fixture) => fixture.tell(1, 2), [], 'level', { next: then((fixture) => fixture.tell(3, 3), 'shows 3') }),
  row(
    'level',
    'log.more',
    both(
      (fixture) => (fixture.pending = 3_500),
      (fixture) => fixture.tell(3, 4),
    ),
    ['shows 3', 'waits for drain'],
    'behind',
    {
      next: drains,
    },
  ),
  row('level', 'log.torn', (fixture) => fixture.tell(4, 4), ['reads'], 'reading'),
  row('level', 'log.torn', (fixture) => fixture.tell(3, 3, { another: true }), ['reads'], 'reading'),
  row('level', 'log.ended', (fixture) => fixture.tell(3, 3, { ended: true }), ['shows 3', 'waits for drain'], 'ending'),
  row(
    'level',
    'viewer.broke',
    both(fails, (fixture) => fixture.tell(3, 3)),
    ['shows 3', 'error: A viewer failed.', ...cutOff, 'loses'],
    'over',
  ),
  // Has everything, and is only waited for.
  row('ending', 'facts.told', (fixture) => fixture.tell(3, 3), [], 'ending'),
  row('ending', 'part.told', (fixture) => fixture.tellPart(), [], 'ending', { parts: true }),
  row('ending', 'facts.missed', (fixture) => fixture.repair(9), [], 'ending'),
  row('ending', 'viewer.drained', (fixture) => fixture.drain(), [...cutOff, 'ends'], 'over'),
  {
    ...row(
      'ending',
      'viewer.broke',
      both(failsToDrain, (fixture) => fixture.page(1, 2, { ended: true })),
      ['shows 1,2', 'waits for drain', 'error: A viewer failed.', ...cutOff, 'loses'],
      'over',
    ),
    arrange: standing('reading'),
  },
  ...endings,
  // Nothing comes any more; what was asked before may still be answered.
  row('over', 'facts.told', (fixture) => fixture.tell(3, 3), [], 'over', { was: 'level' }),
  row('over', 'part.told', (fixture) => fixture.tellPart(), [], 'over', { was: 'level', parts: true }),
  row('over', 'facts.missed', (fixture) => fixture.repair(9), [], 'over', { was: 'level' }),
  row('over', 'tail.opened', (fixture) => fixture.openTail(), [], 'over', { was: 'opening' }),
  row('over', 'turn.came', turn.act, [], 'over', { ...turn, was: 'reading', next: givesItsTurnBack }),
  row('over', 'turn.crowded', crowdedTurn.act, [], 'over', { ...crowdedTurn, was: 'reading', next: givesItsTurnBack }),
  row('over', 'page.read', (fixture) => fixture.page(1, 2), [], 'over', { was: 'reading' }),
  row('over', 'task.gone', (fixture) => fixture.gone(), [], 'over', { was: 'reading' }),
  row('over', 'store.failed', (fixture) => fixture.failRead(), [], 'over', { was: 'reading' }),
  row('over', 'store.exhausted', (fixture) => fixture.failRead(), [], 'over', { was: 'reading', triesMax: 1 }),
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
      both(closesWhenShown, (fixture) => fixture.page(1, 2, more)),
      ['shows 1,2', ...cutOff],
      'over',
    ),
    arrange: standing('reading', { open }),
  })),
  row('over', 'viewer.drained', (fixture) => fixture.drain(), [], 'over', { was: 'behind' }),
  {
    ...row(
      'over',
      'viewer.broke',
      both(
        (fixture) => {
          fixture.onFacts = () => {
            fixture.subscription.close();
            throw new Error('broken');
          };
        },
        (fixture) => fixture.page(1, 2),
      ),
      ['shows 1,2', ...cutOff, 'error: A viewer failed.'],
      'over',
    ),
    arrange: standing('reading'),
  },
  row('over', 'viewer.cut', (fixture) => fixture.subscription.cut(), [], 'over', { was: 'level' }),
  row('over', 'viewer.closed', (fixture) => fixture.subscription.close(), [], 'over', { was: 'level' }),
];

/** Tries a row. After it, and after what comes next: who does not read keeps nothing, who is over leaves no timer, and nothing came that cannot. */
export async function tryRow({ act, done, to, next }: ViewerRow, fixture: ViewerFixture): Promise<void> {
  await act(fixture);
  expect(await fixture.happened()).toEqual(done);
  expect(fixture.subscription.phase).toBe(to);
  expectSoundness(fixture);
  await next?.(fixture);
  expect(await fixture.happened()).not.toContain('error: A viewer was told what cannot be.');
  expectSoundness(fixture);
}

function expectSoundness({ subscription: { phase, holding }, clock }: ViewerFixture): void {
  if (phase !== 'reading') expect(holding).toBe(0);
  if (phase === 'over') expect(clock.armed.length).toBe(0);
}
