import type { transportMachine } from 'taskbridge/machines';
import { describe, expect, test } from 'vitest';
import { createActor, transition, type SnapshotFrom } from 'xstate';
import { alphabet, quiet, type WalkedEvent } from './transport-alphabet.ts';
import { patience } from '../support/patience.ts';

type Snapshot = SnapshotFrom<typeof transportMachine>;
type Region = 'gate' | 'delivering' | 'climbing';

const input = { tries: { ws: 1, sse: 1, poll: 1 }, strategy: 'progressive-sticky', refreshable: true } as const;
const start = createActor(quiet, { input }).getSnapshot();

/** Where one region is; the whole value once the chart has ended. */
function placeOf({ value }: Snapshot, region: Region): string {
  return typeof value === 'string' ? value : JSON.stringify(value.observing[region]);
}

function take(from: Snapshot, event: WalkedEvent): Snapshot {
  // The alphabet holds XState's own events beside the declared ones.
  return transition(quiet, from, event as never)[0];
}

/** Every longest path of one region that meets no place twice, walked with real contexts; calls back at each step. Gives how many there are. */
function walkSimplePaths(region: Region, from: Snapshot, onStep: (from: Snapshot, event: WalkedEvent, to: Snapshot) => void): number {
  const goOn = (here: Snapshot, met: ReadonlySet<string>): number => {
    const further = new Map<string, Snapshot>();
    for (const event of here.status === 'active' ? alphabet : []) {
      // An actor that is not running cannot fail.
      const failing = /^xstate\.error\.actor\.(.+)$/.exec(event.type)?.[1];
      if (failing !== undefined && !(failing in here.children)) continue;
      const to = take(here, event);
      onStep(here, event, to);
      const place = placeOf(to, region);
      if (!met.has(place) && !further.has(place)) further.set(place, to);
    }
    if (further.size === 0) return 1;
    return [...further].reduce((paths, [place, to]) => paths + goOn(to, new Set([...met, place])), 0);
  };
  return goOn(from, new Set([placeOf(from, region)]));
}

/** What holds after every step, whatever came before. */
function checkStep(from: Snapshot, event: WalkedEvent, to: Snapshot): void {
  const fault =
    (to.status === 'done' && to.value === 'failed' && typeof to.output?.code !== 'string' && 'failed without a reason') ||
    (event.type === 'log.ended' && to.value !== 'done' && 'went on after the end of the log') ||
    (to.status === 'error' && 'broke') ||
    (to.context.passes > 5 && 'counted without a limit');
  if (fault) throw new Error(`${JSON.stringify(from.value)} ${JSON.stringify(event)} ${JSON.stringify(to.value)}: ${fault}`);
}

describe('the transport chart, every simple path of each region', () => {
  test(
    'holds along each path of the delivering connection, which ends the chart or comes back to where it was',
    () => {
      const ends = new Set<string>();
      const places = new Set<string>();
      const paths = walkSimplePaths('delivering', start, (from, event, to) => {
        checkStep(from, event, to);
        places.add(placeOf(to, 'delivering'));
        if (typeof to.value === 'string') ends.add(to.value);
      });
      expect(places.size).toBeGreaterThan(10);
      expect([...ends].sort()).toEqual(['done', 'failed']);
      expect(paths).toBeGreaterThan(100);
    },
    patience(120_000),
  );

  test(
    'holds along each path of the gate and of climbing, from every place of the delivering connection',
    () => {
      const at = new Map<string, Snapshot>();
      walkSimplePaths('delivering', start, (_from, _event, to) => {
        if (to.status === 'active' && !at.has(placeOf(to, 'delivering'))) at.set(placeOf(to, 'delivering'), to);
      });
      const climbed = new Set<string>();
      const counts = [...at.values()].map((from) => ({
        gate: walkSimplePaths('gate', from, checkStep),
        climbing: walkSimplePaths('climbing', from, (before, event, to) => {
          checkStep(before, event, to);
          climbed.add(placeOf(to, 'climbing'));
        }),
      }));
      const sum = (name: 'gate' | 'climbing') => counts.reduce((total, count) => total + count[name], 0);
      expect(Math.min(sum('gate'), sum('climbing'))).toBeGreaterThan(10);
      // A state that is left at once is no place to be.
      const drawn = Object.values(quiet.root.states.observing?.states.climbing?.states ?? {}).filter(
        ({ always = [] }) => always.length === 0,
      );
      expect(drawn.map(({ key }) => key).filter((key) => ![...climbed].some((place) => place.includes(`"${key}"`)))).toEqual([]);
    },
    patience(120_000),
  );
});
