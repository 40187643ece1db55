import { describe, expect, test } from 'vitest';
import type { PartFrame } from '../../machines/parts/index.ts';
import { isTerminalType, type Fact, type FactType } from '../../machines/wire/index.ts';
import { POLL_GATHER_MS, type PollPage, type PollRequest } from '../../server/live/poll.ts';
import { PartReader } from '../law/part-reader.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { quiesce } from './hub-fixture.ts';
import { shownTask, type ShownTask } from './shown-task.ts';

const MANY = 100;

/** What a page has, in the order in which it is to be taken. */
function shownBy({ entries, frames = [] }: PollPage): readonly (Fact | PartFrame)[] {
  return [...entries, ...frames].map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Fact | PartFrame);
}

function asked(reader: PartReader, more: Partial<PollRequest> = {}): PollRequest {
  return {
    ...{ owner: 'ann', waitMs: 0, maxEvents: MANY, extensions: 'gap,parts', after: reader.cursor, parts: reader.partCursors },
    ...more,
  };
}

/** All pieces of a page as one. */
async function whole(page: PollPage): Promise<PollPage> {
  const pieces = [page];
  for (let piece = await page.readOn?.(); piece; piece = await piece.readOn?.()) pieces.push(piece);
  const last = pieces.at(-1) ?? page;
  return { ...last, entries: pieces.flatMap(({ entries }) => entries), frames: pieces.flatMap(({ frames = [] }) => frames) };
}

async function take(task: ShownTask, reader: PartReader, more?: Partial<PollRequest>): Promise<PollPage> {
  reader.connect();
  const page = await whole(await task.hub.poll(task.taskId, asked(reader, more)));
  for (const shown of shownBy(page)) reader.take(shown);
  return page;
}

function bytesOf({ entries, frames = [] }: PollPage): number {
  return [...entries, ...frames].reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

describe('a poll that asked for parts', () => {
  test('has the text of open parts behind the facts, and goes on by its cursors', async () => {
    const task = await shownTask();
    const part = await task.open();
    await task.write(part, 'Once upon ');
    const reader = new PartReader();
    const first = await take(task, reader);
    expect(shownBy(first)).toMatchObject([
      { type: 'TASK_STARTED' },
      { type: 'TASK_PART_OPENED' },
      { type: 'PART', part, at: 0, to: 10, text: 'Once upon ', snapshot: true, name: 'answer', kind: 'text' },
    ]);
    expect(first).toMatchObject({ hasMore: false, terminal: false });
    await task.write(part, 'a time');
    const second = await take(task, reader);
    expect(shownBy(second)).toMatchObject([{ type: 'PART', at: 10, to: 16, text: 'a time', snapshot: true }]);
    expect(second).toMatchObject({ nextAfterEventId: first.nextAfterEventId, hasMore: false });
    expect(await take(task, reader)).toMatchObject({ entries: [], frames: [], hasMore: false });
    expect(reader.broken).toEqual([]);
  });

  test('shows all of a long part before the fact that closes it, which begins the next page', async () => {
    const task = await shownTask();
    const part = await task.open();
    await task.write(part, 'ä'.repeat(200_000));
    await task.close(part);
    await task.end();
    const reader = new PartReader();
    const first = await take(task, reader);
    expect(first.entries).toHaveLength(2);
    expect(first).toMatchObject({ hasMore: true, terminal: false });
    expect(reader.textOf(part)).toBe(task.truth.get(part));
    const second = await take(task, reader);
    expect(shownBy(second).map(({ type }) => type)).toEqual(['TASK_PART_CLOSED', 'TASK_COMPLETED']);
    expect(second).toMatchObject({ hasMore: false, terminal: true });
    expect([reader.broken, reader.closed]).toEqual([[], [part]]);
  });

  test('gathers for a quarter of a second after the first text, and not with a fact', async () => {
    const task = await shownTask();
    const part = await task.open();
    const reader = new PartReader();
    await take(task, reader);
    const first = take(task, reader, { waitMs: 25_000 });
    await quiesce();
    task.clock.advance(5_000);
    await task.write(part, 'a');
    await quiesce();
    task.clock.advance(POLL_GATHER_MS - 1);
    await task.write(part, 'b');
    await quiesce();
    expect(task.hub.viewers).toBe(1);
    task.clock.advance(1);
    expect(shownBy(await first)).toMatchObject([{ text: 'ab' }]);
    const second = take(task, reader, { waitMs: 25_000 });
    await quiesce();
    await task.write(part, 'c');
    await task.say('Said.');
    expect(shownBy(await second)).toMatchObject([{ type: 'TASK_MESSAGE' }, { text: 'c' }]);
    expect([reader.broken, task.hub.topics, task.clock.armed]).toEqual([[], 0, []]);
  });

  test('gathers too where text is there when it comes, as long as it may wait', async () => {
    const task = await shownTask();
    const part = await task.open();
    const reader = new PartReader();
    await take(task, reader);
    await task.write(part, 'a');
    const answer = take(task, reader, { waitMs: 100 });
    await quiesce();
    await task.write(part, 'b');
    task.clock.advance(99);
    await quiesce();
    expect(task.hub.viewers).toBe(1);
    task.clock.advance(1);
    expect(shownBy(await answer)).toMatchObject([{ text: 'ab' }]);
  });

  test('hears of text whose message was lost', async () => {
    const task = await shownTask();
    const part = await task.open();
    const reader = new PartReader();
    await take(task, reader);
    task.store.losesPart = () => true;
    const answer = take(task, reader, { waitMs: 60_000 });
    await quiesce();
    await task.write(part, 'lost and found');
    await quiesce();
    task.clock.advance(25_000);
    await quiesce();
    task.clock.advance(POLL_GATHER_MS);
    expect(shownBy(await answer)).toMatchObject([{ text: 'lost and found' }]);
  });

  test('says that a part begins anew where its cursor is of another history', async () => {
    const task = await shownTask();
    const part = await task.open();
    await task.write(part, 'this history');
    const reader = new PartReader();
    await take(task, reader);
    const parts = reader.partCursors.replace(/\.\d+\.\w+$/, '.7.another');
    const page = await task.hub.poll(task.taskId, asked(reader, { parts }));
    expect(shownBy(page)).toMatchObject([{ at: 0, reset: true, text: 'this history' }]);
  });

  test.each([undefined, 64 * 1024])(
    'has at most as many bytes as a page may have, and says that there is more (pieces of %s)',
    async (pieceBytes) => {
      const pollBytesMax = 512 * 1024;
      const task = await shownTask({ pollBytesMax });
      const parts = [await task.open(), await task.open()];
      // Each byte is six in JSON.
      for (const part of parts) for (let i = 0; i < 4; i++) await task.write(part, '\u0001'.repeat(60_000));
      const reader = new PartReader();
      let pages = 0;
      for (let hasMore = true; hasMore && pages < 40; pages++) {
        const page = await take(task, reader, { ...(pieceBytes !== undefined && { pieceBytes }) });
        expect(bytesOf(page)).toBeLessThanOrEqual(pollBytesMax);
        ({ hasMore } = page);
      }
      for (const part of parts) expect(reader.textOf(part)).toBe(task.truth.get(part));
      expect(pages).toBeLessThan(12);
      expect(reader.broken).toEqual([]);
    },
  );

  test('takes as many facts as it asked for, and their text', async () => {
    const task = await shownTask();
    const part = await task.open();
    await task.write(part, 'text');
    for (let i = 0; i < 3; i++) await task.say('Said.');
    const reader = new PartReader();
    const sizes: unknown[] = [];
    for (let hasMore = true; hasMore;) {
      const page = await take(task, reader, { maxEvents: 2 });
      sizes.push([page.entries.length, page.frames?.length]);
      ({ hasMore } = page);
    }
    expect(sizes).toEqual([
      [2, 0],
      [2, 0],
      [1, 1],
    ]);
    expect([reader.broken, reader.textOf(part)]).toEqual([[], 'text']);
  });

  test('is shown nothing of parts where it did not ask', async () => {
    const task = await shownTask();
    const part = await task.open();
    await task.write(part, 'unseen');
    const page = await task.hub.poll(task.taskId, { owner: 'ann', waitMs: 0, maxEvents: MANY, extensions: 'gap', parts: '' });
    expect([page.entries.length, page.frames]).toEqual([2, undefined]);
    const waiting = task.hub.poll(task.taskId, { owner: 'ann', waitMs: 1000, maxEvents: MANY, after: page.nextAfterEventId ?? '' });
    await quiesce();
    await task.write(part, 'still');
    await quiesce();
    task.clock.advance(1000);
    expect(await waiting).toMatchObject({ entries: [] });
  });
});

const words = ['a ', 'büro ', '🙂', 'x'.repeat(900), '\n', 'ẞ'.repeat(12_000)];

/** One history, read by polls: what is written, lost and read at random; the law holds after every page, and in the end everything is there. */
async function history(seed: number): Promise<void> {
  const { fraction: chance, pick, below } = seededRandom(seed);
  const task = await shownTask({ pollBytesMax: pick([70_000, 200_000, 4_000_000]) });
  const open: number[] = [];
  const reader = new PartReader();
  const lossy = pick([0, 0.1, 0.5]);
  task.store.loses = () => chance() < lossy;
  task.store.losesPart = () => chance() < lossy;
  let isOver = false;
  const reading = (async () => {
    while (!isOver) {
      const pieceBytes = pick([0, 20_000]);
      const page = await take(task, reader, {
        waitMs: below(400),
        maxEvents: 1 + below(4),
        ...(pieceBytes > 0 && { pieceBytes }),
      });
      isOver = page.terminal || shownBy(page).some(({ type }) => type !== 'PART' && isTerminalType(type as FactType));
      for (const [part, text] of task.truth) expect(text.startsWith(reader.textOf(part)), `seed ${seed}`).toBe(true);
      expect(reader.broken, `seed ${seed}`).toEqual([]);
    }
  })();
  for (let step = 0; step < 40; step++) {
    const odds = chance();
    if (odds < 0.15 && open.length < 4) open.push(await task.open());
    else if (odds < 0.25) await task.say('Said.');
    else if (odds < 0.35 && open.length > 0) await task.close(open.splice(below(open.length), 1)[0] ?? 0);
    else if (open.length > 0) await task.write(pick(open), pick(words));
    if (chance() < 0.5) task.clock.advance(below(300));
    if (chance() < 0.5) await quiesce();
  }
  task.store.loses = task.store.losesPart = () => false;
  await task.end();
  for (let i = 0; i < 1000 && !isOver; i++) {
    await quiesce();
    task.clock.advance(100);
  }
  expect(isOver, `seed ${seed}`).toBe(true);
  await reading;
  for (const [part, text] of task.truth) expect(reader.textOf(part), `seed ${seed}`).toBe(text);
  expect([...reader.closed].toSorted(), `seed ${seed}`).toEqual([...task.truth.keys()].toSorted());
  expect(task.hub.topics).toBe(0);
}

test.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
  'brings a prefix that only grows, and all of it where it is closed: history %i',
  history,
);
