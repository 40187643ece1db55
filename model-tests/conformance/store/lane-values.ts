import { LATEST_BYTES_MAX, type Fence } from 'taskbridge/server/store';
import { factOf, type StoreUnderTest } from './samples.ts';
import { laneOf, laneSamples, listening, asText } from './lane-samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { present, rejects, same } from '../suite/claim.ts';

/** What lanes of one value mean, which is replaced. */
export const laneValueCases: CaseGroup<StoreUnderTest> = (underTest, after) => {
  const { store, lanes, withTask } = laneSamples(underTest);
  const latest = true;

  return {
    'keeps of a value that is replaced the newest, whole, and counts its versions': async () => {
      const { taskId, opened, write, openLanes } = await withTask();
      const fence = await opened({ latest });
      const page = async (from: number, most: number) => {
        const { bytes, length, latest: isValue } = present(await lanes().readPart(taskId, laneOf(1), from, most), 'the page');
        same(isValue, true);
        return [asText(bytes), length];
      };
      same(await page(0, 100), ['', 0]);
      same([await write(fence, 0, '{"percent":10}'), await page(0, 100)], ['ok', ['{"percent":10}', 1]]);
      same([await write(fence, 1, '2'), await page(0, 100)], ['ok', ['2', 2]]);
      same(await write(fence, 2, '{"percent":"ü"}'), 'ok');
      // Half a value is of no use: it comes whole, or not at all to who has this version.
      same(
        [await page(2, 1), await page(3, 100), await page(9, 100)],
        [
          ['{"percent":"ü"}', 3],
          ['', 3],
          ['', 3],
        ],
      );
      same(await openLanes(), [[laneOf(1), 'first', 3]]);
    },

    'takes the next version of a value only, and once where a reply was lost': async () => {
      const { opened, write, whole } = await withTask();
      const fence = await opened({ latest });
      for (const [at, text] of [
        [0, 'one'],
        [1, 'two'],
        [1, 'two'],
      ] as const)
        same(await write(fence, at, text), 'ok');
      for (const [at, text] of [
        [0, 'one'],
        [1, 'TWO'],
        [1, 'two!'],
        [3, 'two'],
        [2 - 3, 'x'],
      ] as const)
        same(await write(fence, at, text), { at: 2 });
      same([await write(fence, 2, ''), await whole()], ['ok', { text: 'two', length: 2, mark: 'first' }]);
    },

    'tells a lane of one value from one that grows, in fences and in commits': async () => {
      const { fence, opened, commit, write, whole } = await withTask();
      const value = await opened({ latest });
      const grown = await opened({ lane: laneOf(2) });
      await write(value, 0, 'v');
      await write(grown, 0, 'g');
      const plain = ({ latest: _, ...rest }: Fence): Fence => rest;
      same([await write(plain(value), 1, 'x'), await lanes().seal(plain(value))], ['fenced', 'fenced']);
      same([await write({ ...grown, latest }, 1, 'x'), await lanes().seal({ ...grown, latest })], ['fenced', 'fenced']);
      const epoch = { mark: 'second', was: 'first', from: 1 };
      same(await commit({ continue: [fence({ epoch })] }), 'conflict');
      same(await commit({ continue: [fence({ lane: laneOf(2), epoch, latest })] }), 'conflict');
      same(await commit({ continue: [fence({ epoch, latest }), fence({ lane: laneOf(2), epoch })] }), 'committed');
      same([await write(fence({ epoch, latest }), 1, 'w'), await write(fence({ lane: laneOf(2), epoch }), 1, 'h')], ['ok', 'ok']);
      same([(await whole())?.text, (await whole(laneOf(2)))?.text], ['w', 'gh']);
    },

    'takes a value of the most bytes, and throws for one byte more': async () => {
      const { opened, write, whole } = await withTask();
      const fence = await opened({ latest });
      const largest = `"${'x'.repeat(LATEST_BYTES_MAX - 2)}"`;
      same(await write(fence, 0, largest), 'ok');
      await rejects(write(fence, 1, `${largest} `), String(LATEST_BYTES_MAX + 1));
      same(await whole(), { text: largest, length: 1, mark: 'first' });
      same([await write(fence, 0, largest), await write(fence, 1, '0')], ['ok', 'ok']);
    },

    'seals a value, and closes it at its version, kept or dropped': async () => {
      const { fence, commit, write, sealed, whole } = await withTask();
      const [kept, dropped] = [fence({ latest }), fence({ lane: laneOf(2), latest })];
      await commit({ open: [kept, dropped] });
      for (const one of [kept, dropped]) for (const at of [0, 1, 2]) await write(one, at, `"${at}"`);
      const close = [await sealed(kept, true), await sealed(dropped, false)];
      same(
        close.map(({ bytes }) => bytes),
        [3, 3],
      );
      same([await write(kept, 3, 'x'), await write(kept, 2, '"2"')], ['fenced', 'fenced']);
      same(await commit({ close: close.map((each) => ({ ...each, bytes: 2 })) }), 'conflict');
      same(await commit({ close }), 'committed');
      same([await whole(), await whole(laneOf(2))], [{ text: '"2"', length: 3, mark: 'first' }, undefined]);
    },

    'tells who watches the parts of a task each value, with the version before': async () => {
      const { taskId, fence, commit, write } = await withTask();
      const heard = listening();
      const tail = store().tail(heard.listener);
      after(() => tail.close());
      await tail.watch(taskId);
      await tail.watchParts?.(taskId);
      const own = fence({ latest });
      await commit({ open: [own] }, { facts: [factOf(taskId, 1)] });
      for (const [at, value] of [
        [0, 'a'],
        [0, 'a'],
        [1, 'b'],
      ] as const)
        await write(own, at, value);
      await heard.lines(3);
      same(heard.told, ['fact 1', `${own.lane} first at 0, a value: a`, `${own.lane} first at 1, a value: b`]);
    },
  };
};
