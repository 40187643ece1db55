import { expect, test } from 'vitest';
import type { PartFrame } from '../../machines/parts/index.ts';
import type { EventId, Fact } from '../../machines/wire/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { createLiveHub } from '../../server/live/hub.ts';
import { askedParts } from '../../server/live/extensions.ts';
import type { LiveStore } from '../../server/live/live-store.ts';
import { PartDelivery } from '../../server/live/part-delivery.ts';
import type { Topic } from '../../server/live/topic.ts';
import type { Fence, Lanes, NewestOfTask } from '../../server/store/index.ts';
import { writtenTask } from '../server/task-writer.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { evenChance, fakeViewer, quiesce } from './hub-fixture.ts';

/** A task with an open part, and a store that can lose the end of it. */
async function shortened() {
  const memory = createMemory();
  const store = memoryStore({ memory });
  await store.open();
  const clock = fakeClock();
  const plain = store.lanes as Lanes;
  /** What is said to be the newest, once. */
  const old: (readonly NewestOfTask[])[] = [];
  let reads = 0;
  /** Until when the next who asks for the newest waits. */
  let holding: Promise<void> | undefined;
  const lanes: Lanes = {
    ...plain,
    async newest(taskIds) {
      const waits = holding;
      holding = undefined;
      const newest = old.pop() ?? (await plain.newest(taskIds));
      await waits;
      return newest;
    },
    readPart(...asked) {
      reads += 1;
      return plain.readPart(...asked);
    },
  };
  let looks = 0;
  const looked: typeof store.read = (...asked) => {
    looks += 1;
    return store.read(...asked);
  };
  const hub = createLiveHub({ store: { ...store, read: looked, lanes }, clock, chance: evenChance });
  const { taskId, execute, read } = await writtenTask(store);
  await execute((unit) => unit.decide({ type: 'report.started', payload: {} }));
  const part = await execute((unit) => {
    unit.decide({ type: 'report.part.opened', payload: { name: 'answer', kind: 'text' } });
    const opened = unit.aggregate.task.context.openParts.at(-1)?.opened ?? 0;
    unit.parts.noteOpening(opened, { onRerun: 'continue' });
    return opened;
  });
  const row = () => {
    const [lane] = memory.tasks.get(taskId)?.lanes.values() ?? [];
    if (!lane) throw new Error('The part is not open.');
    return lane;
  };
  return {
    part,
    /** How often the log was read for viewers. */
    looks: () => looks,
    /** How often text was read for viewers. */
    reads: () => reads,
    async write(text: string): Promise<void> {
      const { lane, epoch, attempt, node } = (await read()).execution.lanes.open[part] as Omit<Fence, 'taskId'>;
      const [outcome] =
        (await store.lanes?.flush([{ fence: { taskId, lane, epoch, attempt, node }, at: row().length, bytes: Buffer.from(text) }])) ?? [];
      expect(outcome).toBe('ok');
    },
    newest: () => plain.newest([taskId]),
    /** Who asks next is answered when what this gives is called. */
    holdNewest(): () => void {
      let answer = (): void => undefined;
      holding = new Promise<void>((resolve) => (answer = resolve));
      return answer;
    },
    /** Who asks next is told that. */
    keep: (newest: readonly NewestOfTask[]) => void old.push(newest),
    /** The log keeps nothing of before its newest fact. */
    trim(): void {
      const task = memory.tasks.get(taskId);
      if (task) task.firstRetained += task.log.splice(0, task.log.length - 1).length;
    },
    lose: (bytes: number) => void (row().length -= bytes),
    claim: () =>
      execute((unit) => {
        unit.record({ type: 'attempt.started', keptOutside: false, retryAt: null });
        unit.record({ type: 'attempt.lost', crashed: false, retryAt: 0, restUntil: 0 });
        return unit.record({ type: 'attempt.claimed', node: 'next', startBy: 1 });
      }),
    report: () => execute((unit) => unit.decide({ type: 'report.progress', payload: { progress: 1 } })),
    close: () => execute((unit) => unit.parts.close(part, 'DONE')),
    /** Connects, and gives what comes, in its order. */
    connect(cursor?: string, partCursors = '') {
      const frames: (Fact | PartFrame)[] = [];
      const made: object[] = [];
      const take = (entries: readonly { readonly bytes: Uint8Array }[]) =>
        entries.forEach(({ bytes }) => frames.push(JSON.parse(Buffer.from(bytes).toString()) as Fact | PartFrame));
      const parts: typeof take = (entries) => {
        made.push(entries);
        take(entries);
      };
      const viewer = Object.assign(fakeViewer(clock), { facts: take, parts });
      const subscription = hub.subscribe(taskId, viewer, cursor, { parts: askedParts(['parts'], partCursors) });
      return { frames, made, subscription, gaps: viewer.gaps };
    },
    /** The same, and takes nothing by itself. */
    connectSlowly() {
      const frames: (Fact | PartFrame)[] = [];
      const viewer = fakeViewer(clock);
      viewer.blocked = true;
      let most = 0;
      const { facts } = viewer;
      const take: typeof facts = (entries) => {
        facts(entries);
        most = Math.max(most, viewer.pendingBytes());
        for (const { bytes } of entries) frames.push(JSON.parse(Buffer.from(bytes).toString()) as Fact | PartFrame);
      };
      hub.subscribe(taskId, Object.assign(viewer, { facts: take, parts: take }), undefined, { parts: askedParts(['parts'], '') });
      return { frames, viewer, pendingMax: () => most };
    },
  };
}

/** What somebody who began with a text has after these frames. */
function textAfter(text: string, frames: readonly (Fact | PartFrame)[]): string {
  return frames.reduce((sum, frame) => (frame.type === 'PART' ? (frame.reset ? '' : sum) + frame.text : sum), text);
}

/** Of its own bytes, as the wire has it. */
const bytesOf = (text: string): number => Buffer.byteLength(text);

test('a viewer who comes late is shown a long part in frames of 128 KiB, of which only the first says what it is, and the log is not read for each', async () => {
  const task = await shortened();
  const whole = 'He said “so”, and "went on"\tin lines: naïve ideas, 🙂.\n'.repeat(60_000);
  await task.write(whole);
  const { frames } = task.connect();
  for (let turn = 0; turn < 60; turn++) await quiesce();
  const parts = frames.filter((frame) => frame.type === 'PART');
  expect(textAfter('', frames) === whole).toBe(true);
  expect(parts.map(({ at, to, text }) => to - at - bytesOf(text))).toEqual(parts.map(() => 0));
  expect(Math.max(...parts.map(({ text }) => bytesOf(text)))).toBeLessThanOrEqual(128 * 1024);
  expect(parts.map(({ snapshot = false }) => snapshot)).toEqual([true, ...parts.slice(1).map(() => false)]);
  expect(parts.length).toBeGreaterThan(28);
  // When it comes, when it has the first text, and when it has all that was known: not once a frame.
  expect(task.looks()).toBeLessThan(7);
});

/** All of a text that viewers were shown, each of whom had nothing. */
const textOf = ({ frames }: { readonly frames: readonly (Fact | PartFrame)[] }): string =>
  textAfter(
    '',
    frames.filter((frame) => frame.type === 'PART'),
  );

test('who comes late to a long text that two others were shown is given their frames, and only what it has grown by is read', async () => {
  const task = await shortened();
  const whole = 'naïve ideas, 🙂\n'.repeat(37_000);
  await task.write(whole);
  const show = async () => {
    const viewer = task.connect();
    for (let turn = 0; turn < 60; turn++) await quiesce();
    return viewer;
  };
  await show();
  const first = await show();
  const reads = task.reads();
  const second = await show();
  expect(task.reads()).toBe(reads);
  await task.write('and more');
  const third = await show();
  expect(task.reads()).toBe(reads + 1);
  expect([textOf(first), textOf(second), textOf(third)].map((text) => text.length - whole.length)).toEqual([8, 8, 8]);
  expect([textOf(first), textOf(second), textOf(third)].every((text) => text === `${whole}and more`)).toBe(true);
  const made = new Set([...first.made, ...second.made, ...third.made]);
  expect(made.size).toBeLessThanOrEqual(first.made.length + 1);
});

test('who comes late to a text whose end the store has lost is shown no more than is left, whatever others were shown', async () => {
  const task = await shortened();
  await task.write('x'.repeat(100_000));
  task.connect();
  for (let turn = 0; turn < 20; turn++) await quiesce();
  const before = task.connect();
  for (let turn = 0; turn < 20; turn++) await quiesce();
  task.lose(40_000);
  const after = task.connect();
  for (let turn = 0; turn < 20; turn++) await quiesce();
  expect(textOf(after).length).toBe(60_000);
  await task.claim();
  await task.write('y'.repeat(40_000));
  const last = task.connect();
  for (let turn = 0; turn < 40; turn++) await quiesce();
  const left = 'x'.repeat(60_000) + 'y'.repeat(40_000);
  expect(textOf(before).length).toBe(100_000);
  expect([after, last].map((viewer) => textOf(viewer) === left)).toEqual([true, true]);
});

test('a fact that is told of while a long part is shown comes before the rest of it', async () => {
  const task = await shortened();
  await task.write('x'.repeat(2 * 1024 * 1024));
  const { frames } = task.connect();
  while (!frames.some(({ type }) => type === 'PART')) await new Promise(setImmediate);
  await task.report();
  for (let turn = 0; turn < 40; turn++) await quiesce();
  const types = frames.map(({ type }) => type);
  expect(textAfter('', frames).length).toBe(2 * 1024 * 1024);
  expect(types.indexOf('TASK_PROGRESS')).toBeGreaterThan(types.indexOf('PART'));
  expect(types.indexOf('TASK_PROGRESS')).toBeLessThan(types.lastIndexOf('PART'));
});

/** More than the fact that closes a part has room for. */
const LONG = 'x'.repeat(40_000);

test.each([
  ['is shorter than what it was shown', ''],
  ['has grown again to the same length', 'other'],
])('a viewer of a part that the store shortened, and that %s when it is closed, begins it anew before that', async (_, grows) => {
  const task = await shortened();
  await task.write(`${LONG}first`);
  const { frames, subscription } = task.connect();
  await quiesce();
  expect(textAfter('', frames)).toBe(`${LONG}first`);
  const [opened] = frames.filter(({ type }) => type === 'TASK_PART_OPENED') as Fact[];
  const epoch = frames.flatMap((frame) => (frame.type === 'PART' ? (frame.epoch ?? []) : []))[0];
  subscription.close();
  task.lose(5);
  await task.claim();
  if (grows !== '') await task.write(grows);
  await task.close();
  const later = task.connect(opened?.eventId, `${opened?.eventId}.${LONG.length + 5}.${epoch}`);
  for (let i = 0; i < 5; i++) await quiesce();
  expect(later.frames.at(-1)?.type).toBe('TASK_PART_CLOSED');
  expect(textAfter(`${LONG}first`, later.frames)).toBe(`${LONG}${grows}`);
});

test('a viewer whose history was replaced begins its parts anew, whatever its cursors say', async () => {
  const task = await shortened();
  await task.write('some text');
  const { frames, subscription } = task.connect();
  await quiesce();
  subscription.close();
  const [opened] = frames.filter(({ type }) => type === 'TASK_PART_OPENED') as Fact[];
  const epoch = frames.flatMap((frame) => (frame.type === 'PART' ? (frame.epoch ?? []) : []))[0];
  const later = task.connect('2-1', `${opened?.eventId}.9.${epoch}`);
  await quiesce();
  expect(later.gaps).toMatchObject([{ reason: 'reset' }]);
  expect(later.frames.filter(({ type }) => type === 'PART')).toMatchObject([{ at: 0, snapshot: true, text: 'some text' }]);
});

test('a viewer of a part whose first fact is no longer kept is shown the rest of it before it is closed', async () => {
  const task = await shortened();
  await task.write(LONG);
  const { frames, subscription } = task.connect();
  await quiesce();
  subscription.close();
  const [opened] = frames.filter(({ type }) => type === 'TASK_PART_OPENED') as Fact[];
  const epoch = frames.flatMap((frame) => (frame.type === 'PART' ? (frame.epoch ?? []) : []))[0];
  await task.write('the rest');
  await task.close();
  task.trim();
  const later = task.connect(opened?.eventId, `${opened?.eventId}.${LONG.length}.${epoch}`);
  for (let i = 0; i < 5; i++) await quiesce();
  expect(later.frames.map(({ type }) => type)).toEqual(['PART', 'TASK_PART_CLOSED']);
  expect(textAfter(LONG, later.frames)).toBe(`${LONG}the rest`);
});

test('a viewer is not told that a part begins anew by what was asked of the store before it was shown the rest', async () => {
  const task = await shortened();
  await task.write('some');
  const old = await task.newest();
  await task.write(' text');
  const { frames, subscription } = task.connect();
  await quiesce();
  subscription.close();
  const [opened] = frames.filter(({ type }) => type === 'TASK_PART_OPENED') as Fact[];
  const epoch = frames.flatMap((frame) => (frame.type === 'PART' ? (frame.epoch ?? []) : []))[0];
  task.keep(old);
  const later = task.connect(opened?.eventId, `${opened?.eventId}.9.${epoch}`);
  await quiesce();
  await task.write('!');
  await quiesce();
  expect(later.frames).toMatchObject([{ type: 'PART', at: 9, text: '!' }]);
});

test('a viewer is shown no text of a part behind the fact that closes it, also where another asked for the newest before that', async () => {
  const task = await shortened();
  await task.write(LONG);
  const answer = task.holdNewest();
  task.connect();
  await quiesce();
  await task.close();
  const [newest] = await task.newest();
  const { frames } = task.connect(newest?.eventId ?? undefined);
  await quiesce();
  answer();
  for (let i = 0; i < 5; i++) await quiesce();
  expect(frames).toEqual([]);
});

test('a viewer who names a part of which it has nothing is shown all of it before it is closed, where its first fact is no longer kept', async () => {
  const task = await shortened();
  const { frames, subscription } = task.connect();
  await quiesce();
  subscription.close();
  const [opened] = frames.filter(({ type }) => type === 'TASK_PART_OPENED') as Fact[];
  await task.write(LONG);
  await task.close();
  task.trim();
  const later = task.connect(opened?.eventId, `${opened?.eventId}.0.0`);
  for (let i = 0; i < 5; i++) await quiesce();
  expect(later.frames.map(({ type }) => type)).toEqual(['PART', 'TASK_PART_CLOSED']);
  expect(textAfter('', later.frames)).toBe(LONG);
});

test('a viewer whose part has gone on twice more while it was read is told that it begins anew', async () => {
  const task = await shortened();
  await task.write('some text');
  const { frames, subscription } = task.connect();
  await quiesce();
  subscription.close();
  const [opened] = frames.filter(({ type }) => type === 'TASK_PART_OPENED') as Fact[];
  const epoch = frames.flatMap((frame) => (frame.type === 'PART' ? (frame.epoch ?? []) : []))[0];
  task.lose(5);
  await task.claim();
  task.keep(await task.newest());
  await task.claim();
  await task.claim();
  const later = task.connect(opened?.eventId, `${opened?.eventId}.9.${epoch}`);
  await quiesce();
  expect(later.frames).toMatchObject([{ type: 'PART', at: 0, reset: true, snapshot: true, text: 'some' }]);
});

test('a viewer is given no more of a long part at once than it has room for, however much longer the text is as JSON', async () => {
  const task = await shortened();
  // Six bytes of JSON for each.
  await task.write('\u0001'.repeat(1024 * 1024));
  const { frames, viewer, pendingMax } = task.connectSlowly();
  for (let turn = 0; turn < 400 && textAfter('', frames).length < 1024 * 1024; turn++) {
    viewer.take();
    await quiesce();
  }
  expect(textAfter('', frames).length).toBe(1024 * 1024);
  // One frame fits in any case.
  expect(pendingMax()).toBeLessThan(128 * 1024 * 6 + 256 * 1024);
});

test('knows by what was told of a part before it was shown that there is more of it', () => {
  const lane = '2-7' as EventId;
  const opened = { type: 'TASK_PART_OPENED', payload: { name: 'answer', kind: 'text' } };
  const nobodyAsks = { taskId: 't', once: () => Promise.reject(new Error('Nobody asks.')) } as unknown as Topic;
  const parts = new PartDelivery({ topic: nobodyAsks, store: {} as LiveStore, lanes: {} as Lanes, cursors: new Map() });
  parts.noteTold(lane, 5);
  expect([parts.isBehind(1), parts.isBehind(2)]).toEqual([false, true]);
  parts.noteFacts([{ eventId: lane, bytes: Buffer.from(JSON.stringify(opened)) }]);
  expect(parts.isBehind(2)).toBe(true);
  parts.noteShown({ lane, epoch: { mark: 'e', was: null, from: 0 }, at: 0, bytes: Buffer.from('hello') });
  expect(parts.isBehind(2)).toBe(false);
  parts.noteTold(lane, 6);
  parts.noteTold(lane, 4);
  expect(parts.isBehind(2)).toBe(true);
});
