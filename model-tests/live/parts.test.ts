import { describe, expect, test } from 'vitest';
import type { PartFrame } from '../../machines/parts/index.ts';
import { eventNumber, type Fact } from '../../machines/wire/index.ts';
import { askedParts } from '../../server/live/extensions.ts';
import { PartReader } from '../law/part-reader.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { fakeViewer, quiesce, type FakeViewer } from './hub-fixture.ts';
import { shownTask, type ShownTask } from './shown-task.ts';

/** What a reader may know of each part is the beginning of what was written. */
function prove(reader: PartReader, { truth }: ShownTask, when: string): void {
  expect(reader.broken, when).toEqual([]);
  for (const [part, whole] of truth) {
    const text = reader.textOf(part);
    expect(whole.startsWith(text), `${when}: part ${part} is shown as ${JSON.stringify(text.slice(-40))}`).toBe(true);
    if (reader.closed.includes(part)) expect(text, when).toBe(whole);
  }
}

describe('a viewer that asked for parts', () => {
  test('is shown what is written, as it is told of it, after the fact that opens the part and before the one that closes it', async () => {
    const task = await shownTask();
    const seen: string[] = [];
    const reader = new PartReader();
    const { viewer } = task.connect(reader);
    await quiesce();
    const part = await task.open();
    await task.write(part, 'Once ');
    await quiesce();
    await task.write(part, 'upon ');
    await task.write(part, 'a time');
    await quiesce();
    await task.close(part);
    await task.end();
    await quiesce();
    for (const entries of viewer.writes)
      for (const { bytes } of entries) {
        const frame = JSON.parse(Buffer.from(bytes).toString()) as Fact | PartFrame;
        seen.push(frame.type === 'PART' ? `${frame.at} ${frame.text}` : frame.type);
      }
    expect(seen).toEqual(['TASK_STARTED', 'TASK_PART_OPENED', '0 Once ', '5 upon ', '10 a time', 'TASK_PART_CLOSED', 'TASK_COMPLETED']);
    prove(reader, task, 'at the end');
    expect([reader.closed, viewer.state]).toEqual([[part], 'ended']);
  });

  test('gets one frame of what is there when it comes late, with the name of the part, and goes on by its cursor', async () => {
    const task = await shownTask();
    const part = await task.open();
    for (let i = 0; i < 100; i++) await task.write(part, `${i} `);
    const reader = new PartReader();
    const first = task.connect(reader);
    await quiesce();
    const framesOf = ({ viewer }: typeof first) =>
      viewer.writes.flat().flatMap(({ bytes }) => {
        const frame = JSON.parse(Buffer.from(bytes).toString()) as Fact | PartFrame;
        return frame.type === 'PART' ? [frame] : [];
      });
    expect(framesOf(first)).toEqual([
      expect.objectContaining({
        part,
        at: 0,
        to: 290,
        name: 'answer',
        kind: 'text',
        snapshot: true,
        eventId: expect.any(String) as string,
      }),
    ]);
    first.subscription.close();
    await task.write(part, 'while it was away');
    const second = task.connect(reader);
    await quiesce();
    expect(framesOf(second)).toMatchObject([{ at: 290, snapshot: true, text: 'while it was away' }]);
    await task.write(part, '!');
    await quiesce();
    expect(framesOf(second).at(-1)).toEqual({ type: 'PART', taskId: task.taskId, part, at: 307, to: 308, text: '!' });
    prove(reader, task, 'at the end');
  });

  test('reads what its tail lost, with the next frame or with a heartbeat', async () => {
    const task = await shownTask();
    const part = await task.open();
    const reader = new PartReader();
    task.connect(reader);
    await quiesce();
    task.store.losesPart = () => true;
    await task.write(part, 'lost ');
    await quiesce();
    task.store.losesPart = () => false;
    await task.write(part, 'and found');
    await quiesce();
    expect(reader.textOf(part)).toBe('lost and found');
    task.store.losesPart = () => true;
    await task.write(part, ', twice');
    await quiesce();
    expect(reader.textOf(part)).toBe('lost and found');
    task.clock.advance(25_000);
    await quiesce();
    expect(reader.textOf(part)).toBe('lost and found, twice');
    prove(reader, task, 'at the end');
  });

  test('takes nothing while it is full, and then fewer and larger frames', async () => {
    const task = await shownTask({ viewerBytesMax: 64 * 1024 });
    const part = await task.open();
    const reader = new PartReader();
    const { viewer } = task.connect(reader);
    await quiesce();
    viewer.blocked = true;
    for (let i = 0; i < 400; i++) {
      await task.write(part, `${i}`.padStart(1000, '.'));
      await quiesce();
      expect(viewer.pendingBytes()).toBeLessThanOrEqual(64 * 1024 + 1024);
    }
    const frames = viewer.writes.length;
    viewer.blocked = false;
    for (let i = 0; i < 40; i++) {
      viewer.take();
      await quiesce();
    }
    expect(reader.textOf(part)).toBe(task.truth.get(part));
    expect(viewer.writes.length - frames).toBeLessThan(20);
    prove(reader, task, 'at the end');
  });

  test('of a long part that is closed is shown all of it before that is said', async () => {
    const task = await shownTask();
    const part = await task.open();
    await task.write(part, 'ä'.repeat(200_000));
    await task.close(part);
    await task.end();
    const reader = new PartReader();
    const { viewer } = task.connect(reader);
    for (let i = 0; i < 20; i++) await quiesce();
    expect([viewer.state, reader.closed]).toEqual(['ended', [part]]);
    prove(reader, task, 'at the end');
  });

  test('begins a part anew where its cursor is of another history', async () => {
    const task = await shownTask();
    const part = await task.open();
    await task.write(part, 'this history');
    const reader = new PartReader();
    task.connect(reader).subscription.close();
    await quiesce();
    const first = task.connect(reader);
    await quiesce();
    first.subscription.close();
    const viewer = fakeViewer(task.clock);
    const frames: PartFrame[] = [];
    const parts = (entries: Parameters<FakeViewer['facts']>[0]) =>
      entries.forEach(({ bytes }) => frames.push(JSON.parse(Buffer.from(bytes).toString()) as PartFrame));
    const cursors = reader.partCursors.replace(/\.\d+\.\w+$/, '.7.another');
    task.hub.subscribe(task.taskId, Object.assign(viewer, { parts }), reader.cursor, { parts: askedParts(['parts'], cursors) });
    await quiesce();
    expect(frames).toMatchObject([{ at: 0, reset: true, snapshot: true, text: 'this history' }]);
  });

  test('is told nothing of parts where it did not ask, and facts as ever', async () => {
    const task = await shownTask();
    const viewer = Object.assign(fakeViewer(task.clock), { parts: () => expect.fail('It did not ask.') });
    task.hub.subscribe(task.taskId, viewer, undefined);
    const part = await task.open();
    await task.write(part, 'unseen');
    await quiesce();
    await task.end();
    await quiesce();
    expect([viewer.ids.map((id) => Number(eventNumber(id))), viewer.state]).toEqual([[1, 2, 3, 4], 'ended']);
  });
});

const words = ['a ', 'büro ', '🙂', 'x'.repeat(900), '\n', 'ẞ'.repeat(5000)];

/** A reader, and the connection that it has. */
interface Reading {
  readonly reader: PartReader;
  at: ReturnType<ShownTask['connect']> | undefined;
}

/** One history: what is written, lost, read and cut at random; the law holds after every step, and in the end everything is there. */
async function history(seed: number): Promise<void> {
  const { fraction: chance, pick } = seededRandom(seed);
  const task = await shownTask({ viewerBytesMax: pick([16 * 1024, 64 * 1024, 256 * 1024]) });
  const readers = Array.from({ length: 3 }, (): Reading => ({ reader: new PartReader(), at: undefined }));
  const open: number[] = [];
  let nodes = 0;
  const lossy = pick([0, 0.1, 0.5]);
  task.store.loses = () => chance() < lossy;
  task.store.losesPart = () => chance() < lossy;
  const steps: Readonly<Record<string, () => Promise<unknown> | void>> = {
    open: async () => void (open.length < 5 && open.push(await task.open(chance() < 0.5 ? 'continue' : undefined))),
    write: async () => void (open.length > 0 && (await task.write(pick(open), pick(words)))),
    type: async () => {
      if (open.length > 0) for (let i = 0; i < 5; i++) await task.write(pick(open), pick(words));
    },
    say: () => task.say('Said.'),
    close: async () => {
      if (open.length === 0) return;
      const part = pick(open);
      open.splice(open.indexOf(part), 1);
      await task.close(part);
    },
    claim: async () => {
      await task.claim(`node-${(nodes += 1)}`);
      const { lanes = '{"open":{}}' } = (await task.store.load(task.taskId))?.fields ?? {};
      const left = JSON.parse(lanes) as { readonly open: Record<string, unknown> };
      open.splice(0, open.length, ...Object.keys(left.open).map(Number));
    },
    connect: () => {
      const one = pick(readers);
      one.at?.subscription.close();
      one.at = task.connect(one.reader);
    },
    cut: () => {
      const one = pick(readers);
      one.at?.subscription.close();
      one.at = undefined;
    },
    block: () => {
      const one = pick(readers);
      if (one.at) one.at.viewer.blocked = true;
    },
    drain: () => {
      const one = pick(readers);
      if (!one.at) return;
      one.at.viewer.blocked = false;
      one.at.viewer.take();
    },
    sip: () => pick(readers).at?.viewer.take(1000),
    beat: () => task.clock.advance(25_000),
    rest: () => quiesce(),
  };
  const names = Object.keys(steps);
  const done: string[] = [];
  const check = (): void => {
    for (const { reader } of readers) prove(reader, task, `seed ${seed}: ${done.join(' ')}`);
  };
  for (let step = 0; step < 60; step++) {
    const name = pick([...names, 'write', 'write', 'type', 'type']);
    done.push(name);
    await steps[name]?.();
    if (chance() < 0.5) await new Promise((resolve) => setImmediate(resolve));
    check();
  }
  task.store.loses = task.store.losesPart = () => false;
  await task.end();
  for (const one of readers) {
    one.at?.subscription.close();
    one.at = task.connect(one.reader);
  }
  for (let i = 0; i < 200 && readers.some(({ at }) => at?.viewer.state !== 'ended'); i++) await quiesce();
  done.push('end');
  check();
  for (const { reader } of readers) expect([...reader.closed].sort(), `seed ${seed}`).toEqual([...task.truth.keys()].sort());
}

test.each(Array.from({ length: 60 }, (_, seed) => seed + 1))(
  'shows a prefix that only grows, and all of it where it is closed: history %i',
  history,
);
