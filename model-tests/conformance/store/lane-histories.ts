import type { Fence, FlushOutcome, LaneChanges, Lease } from 'taskbridge/server/store';
import { heldBy, leasesOf, type StoreUnderTest } from './samples.ts';
import { asBytes, firstEpoch, laneOf, laneSamples, listening } from './lane-samples.ts';
import { seededRandom, type SeededRandom } from '../suite/seeded-random.ts';
import type { CaseGroup } from '../suite/case.ts';
import { present, same } from '../suite/claim.ts';

/** The most that one part has, and the most parts of a task. */
const LANE_BYTES = 4 * 1024 ** 2;
const LANES = 1000;
/** What the server has open at once. */
const OPEN_AT_ONCE = 16;
const WALK_STEPS = 250;

/** What lanes mean over a long life: their limits, stores that are opened again, several nodes, and whatever may follow what. */
export const laneHistoryCases: CaseGroup<StoreUnderTest> = (underTest, after) => {
  const { store, lanes, withTask } = laneSamples(underTest);

  return {
    'keeps a lane of 4 MiB, however it came, and knows its own flushes again at each length': async () => {
      const { taskId, opened, write } = await withTask();
      const fence = await opened();
      const random = seededRandom('4 MiB');
      const pattern = Buffer.from(Array.from({ length: 4093 }, () => random.below(256)));
      const whole = Buffer.alloc(LANE_BYTES, pattern);
      const sizes = [1, 1, 25, 1700, 75, 1, 5000, 64 * 1024, 64 * 1024 + 1, 3, 200_000, 1, 1_500_000];
      let at = 0;
      for (const size of [...sizes, ...sizes]) {
        const bytes = whole.subarray(at, Math.min(at + size, LANE_BYTES));
        same(await write(fence, at, bytes), 'ok');
        same([await write(fence, at, bytes), await write(fence, at - 1, bytes)], ['ok', { at: at + bytes.length }]);
        at += bytes.length;
      }
      while (at < LANE_BYTES) {
        same(await write(fence, at, whole.subarray(at, at + 100_000)), 'ok');
        at = Math.min(LANE_BYTES, at + 100_000);
      }
      const read: Uint8Array[] = [];
      for (let from = 0; from < LANE_BYTES; from += 131_071) {
        const page = present(await lanes().readPart(taskId, fence.lane, from, 131_071), 'the page');
        same(page.length, LANE_BYTES);
        read.push(page.bytes);
      }
      same(Buffer.concat(read).equals(whole), true);
      same(Buffer.from((await lanes().readPart(taskId, fence.lane, 0, 1e9))?.bytes ?? []).equals(whole), true);
      same(await lanes().seal(fence), LANE_BYTES);
    },

    'has 1000 lanes in a task, 16 open at once, gives the open ones in their order, and takes all away with it': async () => {
      const { taskId, requestKey, fence, commit, openLanes, sealed, whole, revision } = await withTask();
      for (let from = 1; from <= LANES; from += OPEN_AT_ONCE) {
        const open = Array.from({ length: Math.min(OPEN_AT_ONCE, LANES - from + 1) }, (_, i) => fence({ lane: laneOf(from + i) }));
        same(await commit({ open }), 'committed');
        same(
          await openLanes(),
          open.map(({ lane }) => [lane, 'first', 0]),
        );
        const flushes = open.map((each) => ({ fence: each, at: 0, bytes: asBytes(each.lane) }));
        same(
          await lanes().flush(flushes),
          open.map(() => 'ok'),
        );
        const close = await Promise.all(open.map((each, i) => sealed(each, i % 2 === 0)));
        same(await commit({ close }), 'committed');
      }
      same([await openLanes(), (await whole(laneOf(1)))?.text, await whole(laneOf(2))], [[], laneOf(1), undefined]);
      same((await whole(laneOf(999)))?.text, laneOf(999));
      same(await store().remove(taskId, requestKey, revision()), 'removed');
      for (const n of [1, 2, 999, 1000]) same(await whole(laneOf(n)), undefined);
    },

    'changes no lane with a commit that is refused for its revision or for a lease': async () => {
      const { taskId, fence, opened, commit, write, sealed, whole, openLanes } = await withTask();
      const own = await opened();
      await write(own, 0, 'four');
      same(await commit({}, { plan: heldBy('a-node') }), 'committed');
      const seen = (await leasesOf(store(), 'a-node', taskId))[0];
      const close = [await sealed(own, false)];
      const changes: LaneChanges = { open: [fence({ lane: laneOf(2) })], close };
      const another: Lease = { bucket: seen?.bucket ?? '', node: 'b-node', beat: 7 };
      same(await commit(changes, { ifLease: another }), 'lease changed');
      same([(await whole())?.text, await openLanes()], ['four', [[laneOf(1), 'first', 4]]]);
      same(await commit(changes, seen && { ifLease: seen }), 'committed');
      same([await whole(), await openLanes()], [undefined, [[laneOf(2), 'first', 0]]]);
    },

    'has after it was opened again what was open, sealed and closed, under the same fences': async () => {
      const { reopen } = underTest();
      if (!reopen) return;
      const { fence, commit, write, sealed, whole, openLanes } = await withTask();
      const [open, seal, kept, dropped] = [1, 2, 3, 4].map((n) => fence({ lane: laneOf(n) })) as [Fence, Fence, Fence, Fence];
      const value = fence({ lane: laneOf(5), latest: true });
      await commit({ open: [open, seal, kept, dropped, value] });
      for (const one of [open, seal, kept, dropped, value]) await write(one, 0, 'text');
      await commit({ close: [await sealed(kept, true), await sealed(dropped, false)] });
      await lanes().seal(seal);

      const again = await reopen();
      same(await openLanes(again), [
        [laneOf(1), 'first', 4],
        [laneOf(2), 'first', 4],
        [laneOf(5), 'first', 1],
      ]);
      same([await write(open, 4, '+', again), await write(value, 1, 'new', again)], ['ok', 'ok']);
      same([await write(seal, 4, '+', again), await write(kept, 4, '+', again)], ['fenced', 'fenced']);
      same(
        [await whole(laneOf(1), again), await whole(laneOf(5), again)],
        [
          { text: 'text+', length: 5, mark: 'first' },
          { text: 'new', length: 2, mark: 'first' },
        ],
      );
      same([(await whole(laneOf(3), again))?.text, await whole(laneOf(4), again)], ['text', undefined]);
      same(await present(again.lanes, 'lanes').seal(seal), 4);
    },

    'lets another node read, hear, seal and go on, and fences the first one then': async () => {
      const { another } = underTest();
      if (!another) return;
      const two = await another();
      after(() => two.close());
      const { taskId, fence, opened, commit, write, whole } = await withTask();
      const heard = listening();
      const tail = two.tail(heard.listener);
      after(() => tail.close());
      await tail.watchParts?.(taskId);
      const own = await opened();
      await write(own, 0, 'from one ');
      same(await whole(laneOf(1), two), { text: 'from one ', length: 9, mark: 'first' });
      same(await present(two.lanes, 'lanes').seal(own), 9);
      same(await write(own, 9, 'x'), 'fenced');
      const next = fence({ epoch: { mark: 'second', was: 'first', from: 9 }, attempt: 2, node: 'b-node' });
      same(await commit({ continue: [next] }, {}, two), 'committed');
      same([await write(own, 9, 'x'), await write(next, 9, 'to two', two)], ['fenced', 'ok']);
      same((await whole())?.text, 'from one to two');
      await heard.lines(2);
      same(heard.told, [`${laneOf(1)} first at 0: from one `, `${laneOf(1)} second at 9: to two`]);
    },

    ...Object.fromEntries(
      [1, 2, 3].map((seed) => [
        `answers whatever follows what as plain texts would, with seed ${seed}`,
        async () => {
          const { commit, fence, write, whole, openLanes } = await withTask();
          await walk(seededRandom(seed), { commit, fence, write, seal: (under) => lanes().seal(under), whole, openLanes });
        },
      ]),
    ),
  };
};

/** A lane as plain values: what a walk expects of the store. */
interface PlainLane {
  fence: Fence;
  texts: string[];
  isSealed: boolean;
}

interface WalkedTask {
  commit(changes: LaneChanges): Promise<string>;
  fence(part: Partial<Fence>): Fence;
  write(under: Fence, at: number, text: string): Promise<FlushOutcome | undefined>;
  seal(under: Fence): Promise<number | 'fenced'>;
  whole(lane: Fence['lane']): Promise<{ readonly text: string | undefined; readonly length: number; readonly mark: string } | undefined>;
  openLanes(): Promise<unknown>;
}

/** Random flushes, seals and commits of a few lanes, under fences of now and of before. */
async function walk(random: SeededRandom, task: WalkedTask): Promise<void> {
  const open: PlainLane[] = [];
  const fences: Fence[] = [];
  const lengthOf = ({ fence, texts }: PlainLane): number => (fence.latest ? texts.length : texts.join('').length);
  const textOfLane = ({ fence, texts }: PlainLane): string => (fence.latest ? (texts.at(-1) ?? '') : texts.join(''));
  let lanes = 0;

  async function begin(): Promise<void> {
    lanes += 1;
    const made = task.fence({ lane: laneOf(lanes), epoch: firstEpoch(`${lanes}-1`), ...(random.odds(0.3) && { latest: true }) });
    same(await task.commit({ open: [made] }), 'committed');
    open.push({ fence: made, texts: [], isSealed: false });
    fences.push(made);
  }
  async function flush(): Promise<void> {
    const under = random.odds(0.8) && open.length > 0 ? random.pick(open).fence : random.pick(fences);
    const lane = open.find(({ fence }) => fence === under);
    const length = lane ? lengthOf(lane) : 0;
    const newest = lane?.texts.at(-1) ?? '?';
    const [at, text] = random.pick([
      [length, random.hex(random.between(1, 9))],
      [length, random.hex(random.between(900, 2100))],
      [length - (under.latest ? 1 : newest.length), newest],
      [length + random.between(-1, 1), random.hex(3)],
    ] as const);
    const added = under.latest ? 1 : text.length;
    const isOurs = lane && lane.texts.length > 0 && at + added === length && (lane.fence.latest ? newest : textOfLane(lane)).endsWith(text);
    const isSame = isOurs && (!under.latest || text === newest);
    const isNew = lane && !lane.isSealed && at === length;
    same(await task.write(under, at, text), !lane || lane.isSealed ? 'fenced' : isNew || isSame ? 'ok' : { at: length });
    if (isNew) lane.texts.push(text);
  }
  async function seal(): Promise<void> {
    const under = random.pick(fences);
    const lane = open.find(({ fence }) => fence === under);
    same(await task.seal(under), lane ? lengthOf(lane) : 'fenced');
    if (lane) lane.isSealed = true;
  }
  async function goOn(): Promise<void> {
    const lane = random.pick(open);
    const off = random.pick([0, 0, 1, -1]);
    const { epoch } = lane.fence;
    const from = lengthOf(lane) + off;
    const next = { ...lane.fence, attempt: lane.fence.attempt + 1, epoch: { mark: `${epoch.mark}+`, was: epoch.mark, from } };
    same(await task.commit({ continue: [next] }), off === 0 ? 'committed' : 'conflict');
    if (off !== 0) return;
    Object.assign(lane, { fence: next, isSealed: false });
    fences.push(next);
  }
  async function close(): Promise<void> {
    const lane = random.pick(open);
    const off = random.pick([0, 0, 0, 1]);
    const keeps = random.odds(0.5);
    const isWhole = lane.isSealed && off === 0;
    const closed = { lane: lane.fence.lane, bytes: lengthOf(lane) + off, keeps };
    same(await task.commit({ close: [closed] }), isWhole ? 'committed' : 'conflict');
    if (!isWhole) return;
    open.splice(open.indexOf(lane), 1);
    same((await task.whole(lane.fence.lane))?.text, keeps ? textOfLane(lane) : undefined);
  }

  await begin();
  for (let step = 0; step < WALK_STEPS; step += 1) {
    const roll = random.below(100);
    if (open.length === 0 || (roll < 5 && open.length < OPEN_AT_ONCE)) await begin();
    else if (roll < 75) await flush();
    else if (roll < 85) await seal();
    else if (roll < 93) await goOn();
    else await close();
    const looked = open.length > 0 ? random.pick(open) : undefined;
    const expected = looked && { text: textOfLane(looked), length: lengthOf(looked), mark: looked.fence.epoch.mark };
    if (looked) same(await task.whole(looked.fence.lane), expected);
  }
  same(
    await task.openLanes(),
    open.map((lane) => [lane.fence.lane, lane.fence.epoch.mark, lengthOf(lane)]),
  );
}
