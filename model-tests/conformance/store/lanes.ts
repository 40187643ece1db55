import type { Epoch, LaneChanges, TailListener } from 'taskbridge/server/store';
import { asBytes, asText, firstEpoch, laneOf, laneSamples, listening } from './lane-samples.ts';
import { commitOf, factOf, sampleTask, type StoreUnderTest } from './samples.ts';
import type { CaseGroup } from '../suite/case.ts';
import { present, rejects, same } from '../suite/claim.ts';

/** What lanes mean: where the bytes of parts are. */
export const laneCases: CaseGroup<StoreUnderTest> = (underTest, after) => {
  const { store, lanes, withTask } = laneSamples(underTest);

  return {
    'opens lanes with the facts of a commit, empty, or nothing where there is a conflict': async () => {
      const { taskId, fence, whole, openLanes } = await withTask();
      const open = [fence(), fence({ lane: laneOf(2), epoch: firstEpoch('other') })];
      const facts = [factOf(taskId, 1), factOf(taskId, 2)];
      same(await store().append(commitOf(taskId, 9, { facts, lanes: { open } })), 'conflict');
      same([await whole(), await openLanes()], [undefined, []]);
      same(await store().append(commitOf(taskId, 1, { facts, lanes: { open } })), 'committed');
      same(await whole(), { text: '', length: 0, mark: 'first' });
      same(await openLanes(), [
        [laneOf(1), 'first', 0],
        [laneOf(2), 'other', 0],
      ]);
      const [newest, none] = await lanes().newest([taskId, sampleTask().taskId]);
      same([newest?.eventId, none], [factOf(taskId, 2).eventId, { eventId: null, lanes: [] }]);
    },

    'keeps what is flushed, byte for byte, and gives it in pages that end anywhere': async () => {
      const { taskId, opened, write, whole } = await withTask();
      const fence = await opened();
      same(await write(fence, 0, 'ü€'), 'ok');
      same(await write(fence, 5, '😀\0\n'), 'ok');
      same(await whole(), { text: 'ü€😀\0\n', length: 11, mark: 'first' });
      const page = async (from: number, most: number) => {
        const read = present(await lanes().readPart(taskId, fence.lane, from, most), 'the page');
        return [Buffer.from(read.bytes).toString('hex'), read.length];
      };
      const hex = Buffer.from('ü€😀\0\n').toString('hex');
      same(await page(1, 3), [hex.slice(2, 8), 11]);
      same(await page(9, 100), [hex.slice(18), 11]);
      same(
        [await page(11, 1), await page(50, 1), await page(0, 0)],
        [
          ['', 11],
          ['', 11],
          ['', 11],
        ],
      );
      same(await lanes().readPart(taskId, laneOf(2), 0, 10), undefined);
      same(await lanes().readPart(sampleTask().taskId, fence.lane, 0, 10), undefined);
    },

    'keeps what it was given, and so does who was told, whatever its caller does with the buffer later': async () => {
      const { taskId, opened, whole } = await withTask();
      const told: Uint8Array[] = [];
      let hear: (() => void) | undefined;
      const heard = new Promise<void>((resolve) => (hear = resolve));
      const part = (...[, , , , bytes]: Parameters<NonNullable<TailListener['part']>>): void => {
        told.push(bytes);
        hear?.();
      };
      const tail = store().tail({ committed: () => undefined, interrupted: () => undefined, part });
      after(() => tail.close());
      await tail.watchParts?.(taskId);
      const fence = await opened();
      const large = asBytes('..mine..');
      await lanes().flush([{ fence, at: 0, bytes: large.subarray(2, 6) }]);
      large.fill(0);
      await heard;
      same([(await whole())?.text, told.map(asText)], ['mine', ['mine']]);
    },

    'takes bytes only under the very fence that a commit has set': async () => {
      const { fence, opened, write, whole } = await withTask();
      const other = await withTask();
      await other.opened();
      const own = await opened();
      const strangers = [
        fence({ lane: laneOf(1, 7) }),
        fence({ lane: laneOf(2) }),
        fence({ epoch: firstEpoch('another') }),
        fence({ epoch: { ...firstEpoch(), was: 'x' } }),
        fence({ epoch: { ...firstEpoch(), from: 1 } }),
        fence({ attempt: 2 }),
        fence({ node: 'b-node' }),
        fence({ taskId: sampleTask().taskId }),
      ];
      for (const stranger of strangers) same([await write(stranger, 0, 'x'), await lanes().seal(stranger)], ['fenced', 'fenced']);
      same([await write(own, 0, 'own'), (await whole())?.text], ['ok', 'own']);
      same((await other.whole())?.text, '');
    },

    'answers each flush of a call by itself, in order, and adds to a lane in that order': async () => {
      const { fence, commit, whole } = await withTask();
      const [one, two] = [fence(), fence({ lane: laneOf(2), epoch: firstEpoch('other') })];
      await commit({ open: [one, two] });
      const flushes = [
        { fence: one, at: 0, bytes: asBytes('a') },
        { fence: fence({ attempt: 9 }), at: 0, bytes: asBytes('x') },
        { fence: two, at: 0, bytes: asBytes('b') },
        { fence: two, at: 7, bytes: asBytes('x') },
        { fence: one, at: 1, bytes: asBytes('c') },
        { fence: two, at: 1, bytes: asBytes('') },
      ];
      same(await lanes().flush(flushes), ['ok', 'fenced', 'ok', { at: 1 }, 'ok', 'ok']);
      same([(await whole())?.text, (await whole(laneOf(2)))?.text], ['ac', 'b']);
      same(await lanes().flush([]), []);
    },

    'takes a flush once whose reply was lost, and tells who is elsewhere how long the lane is': async () => {
      const { opened, write, whole } = await withTask();
      const fence = await opened();
      for (const [at, text] of [
        [0, 'one'],
        [3, 'two'],
        [3, 'two'],
      ] as const)
        same(await write(fence, at, text), 'ok');
      same((await whole())?.text, 'onetwo');
      for (const [at, text] of [
        [3, 'TWO'],
        [0, 'one'],
        [2, 'two'],
        [7, 'x'],
      ] as const)
        same(await write(fence, at, text), { at: 6 });
      same((await whole())?.text, 'onetwo');
    },

    'adds what 20 flushes bring at once, each whole, once and where it says': async () => {
      const { opened, write, whole } = await withTask();
      const fence = await opened();
      const answers = await Promise.all(Array.from({ length: 20 }, (_, nth) => write(fence, 0, `writer ${String(nth).padStart(2, '0')}`)));
      same(answers.filter((answer) => answer === 'ok').length, 1);
      same((await whole())?.text, `writer ${String(answers.indexOf('ok')).padStart(2, '0')}`);
      same(new Set(answers.flatMap((answer) => (typeof answer === 'object' ? answer.at : []))), new Set([9]));
    },

    'seals a lane against all that would be added, and says its length as often as it is asked': async () => {
      const { opened, write, whole, openLanes } = await withTask();
      const fence = await opened();
      await write(fence, 0, 'four');
      same([await lanes().seal(fence), await lanes().seal({ ...fence })], [4, 4]);
      same([await write(fence, 4, 'more'), await write(fence, 0, 'four')], ['fenced', 'fenced']);
      same([(await whole())?.text, await openLanes()], ['four', [[laneOf(1), 'first', 4]]]);
    },

    'lets a lane go on in a new epoch, and fences the one before': async () => {
      const { fence, opened, commit, write, whole } = await withTask();
      const old = await opened();
      await write(old, 0, 'from one ');
      await lanes().seal(old);
      const next = fence({ epoch: { mark: 'second', was: 'first', from: 9 }, attempt: 2, node: 'b-node' });
      same(await commit({ continue: [next] }), 'committed');
      same([await write(old, 9, 'x'), await lanes().seal(old), await write(next, 9, 'to two')], ['fenced', 'fenced', 'ok']);
      same(await whole(), { text: 'from one to two', length: 15, mark: 'second' });
      // Without a seal too, where nothing was added meanwhile: who was told that the lane is shorter begins so.
      same(await commit({ continue: [fence({ epoch: { mark: 'third', was: 'second', from: 15 } })] }), 'committed');
    },

    'answers a conflict, and writes nothing, where a lane is not as long, or not of the epoch, that its caller saw': async () => {
      const { fence, opened, commit, write, whole } = await withTask();
      const own = await opened();
      await write(own, 0, 'four');
      const later = (epoch: Epoch): LaneChanges => ({ continue: [fence({ epoch })] });
      for (const from of [3, 5]) same(await commit(later({ mark: 'second', was: 'first', from })), 'conflict');
      same(await commit(later({ mark: 'second', was: 'another', from: 4 })), 'conflict');
      // Not sealed; then of another length.
      same(await commit({ close: [{ lane: own.lane, bytes: 4, keeps: true }] }, { fields: { head: 'x' } }), 'conflict');
      await lanes().seal(own);
      for (const bytes of [3, 5]) same(await commit({ close: [{ lane: own.lane, bytes, keeps: false }] }), 'conflict');
      same((await store().load(own.taskId))?.fields['head'], '{"state":"accepted"}');
      same((await whole())?.text, 'four');
      same(await commit({ close: [{ lane: own.lane, bytes: 4, keeps: true }] }), 'committed');
    },

    'keeps the bytes of a lane that is closed, or drops them, as the commit says': async () => {
      const { fence, commit, write, whole, openLanes } = await withTask();
      const [kept, dropped] = [fence(), fence({ lane: laneOf(2) })];
      await commit({ open: [kept, dropped] });
      for (const one of [kept, dropped]) {
        await write(one, 0, 'text');
        await lanes().seal(one);
      }
      const close = [kept, dropped].map(({ lane }) => ({ lane, bytes: 4, keeps: lane === kept.lane }));
      same(await commit({ close }), 'committed');
      same([await whole(), await whole(laneOf(2)), await openLanes()], [{ text: 'text', length: 4, mark: 'first' }, undefined, []]);
      same([await write(kept, 4, 'x'), await lanes().seal(kept), await lanes().seal(dropped)], ['fenced', 'fenced', 'fenced']);
      await rejects(commit({ open: [kept] }), /there already/);
      await rejects(commit({ close: [{ lane: kept.lane, bytes: 4, keeps: true }] }), /no open lane/);
    },

    'refuses with an error what no lane can do, and writes nothing of it': async () => {
      const { taskId, fence, opened, commit, openLanes } = await withTask();
      const own = await opened();
      const [unknown, next] = [laneOf(3), { mark: 'second', was: 'first', from: 0 }];
      const broken: readonly (readonly [LaneChanges, RegExp])[] = [
        [{ open: [own] }, /there already/],
        [{ open: [fence({ lane: laneOf(2), epoch: next })] }, /begins at 0/],
        [{ open: [fence({ lane: laneOf(2), taskId: sampleTask().taskId })] }, /fence of task/],
        [{ continue: [fence({ lane: unknown, epoch: next })] }, /no open lane/],
        [{ close: [{ lane: unknown, bytes: 0, keeps: false }] }, /no open lane/],
        [{ open: [fence({ lane: laneOf(2) }), fence({ lane: laneOf(2) })] }, /twice/],
      ];
      for (const [changes, reason] of broken) await rejects(commit(changes, { fields: { head: 'x' } }), reason);
      same((await store().load(taskId))?.fields['head'], '{"state":"accepted"}');
      same(await openLanes(), [[laneOf(1), 'first', 0]]);
    },

    'ends no log beside an open lane, and with the last one in one commit': async () => {
      const { taskId, opened, commit } = await withTask();
      const own = await opened();
      const end = { facts: [factOf(taskId, 1)], ended: true };
      await rejects(commit({}, end), /open lane/);
      same((await store().read(taskId, 1, { facts: 9, bytes: 1e6 }))?.ended, false);
      await lanes().seal(own);
      same(await commit({ close: [{ lane: own.lane, bytes: 0, keeps: false }] }, end), 'committed');
    },

    'forgets all lanes with their task': async () => {
      const { taskId, requestKey, opened, write, whole, revision } = await withTask();
      const fence = await opened();
      await write(fence, 0, 'text');
      same(await store().remove(taskId, requestKey, revision()), 'removed');
      same([await whole(), await write(fence, 4, 'x'), await lanes().seal(fence)], [undefined, 'fenced', 'fenced']);
      same(await lanes().newest([taskId]), [{ eventId: null, lanes: [] }]);
    },

    'tells who watches the parts of a task what is added, in order with its facts, and never inside a flush': async () => {
      const { taskId, fence, commit, write } = await withTask();
      const other = await withTask();
      const [heard, deaf] = [listening(), listening()];
      const tails = [heard, deaf].map(({ listener }) => store().tail(listener));
      for (const tail of tails) after(() => tail.close());
      for (const tail of tails) await tail.watch(taskId);
      await tails[0]?.watchParts?.(taskId);
      await tails[0]?.watchParts?.(taskId);
      await other.write(await other.opened(), 0, 'unheard');
      const own = fence();
      await commit({ open: [own] }, { facts: [factOf(taskId, 1)] });
      const written = write(own, 0, 'ü');
      same(
        heard.told.filter((line) => line.includes(' at ')),
        [],
      );
      await written;
      await write(own, 0, 'ü');
      await write(own, 2, '');
      await write(own, 2, 'b');
      await lanes().seal(own);
      await commit({ close: [{ lane: own.lane, bytes: 3, keeps: false }] }, { facts: [factOf(taskId, 2)] });
      await heard.lines(4);
      await deaf.lines(2);
      same(heard.told, ['fact 1', `${own.lane} first at 0: ü`, `${own.lane} first at 2: b`, 'fact 2']);
      same(deaf.told, ['fact 1', 'fact 2']);
    },

    'tells nothing of parts any more once the task is unwatched': async () => {
      const { taskId, opened, write } = await withTask();
      const [leaving, staying] = [listening(), listening()];
      const tails = [leaving, staying].map(({ listener }) => store().tail(listener));
      for (const tail of tails) after(() => tail.close());
      for (const tail of tails) await tail.watchParts?.(taskId);
      const fence = await opened();
      await write(fence, 0, 'a');
      await Promise.all([leaving.lines(1), staying.lines(1)]);
      tails[0]?.unwatch(taskId);
      await write(fence, 1, 'b');
      await staying.lines(2);
      same(leaving.told.length, 1);
    },
  };
};
