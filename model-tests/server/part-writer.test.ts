import { describe, expect, test } from 'vitest';
import { TaskStopped } from '../../adapters/in-process/index.ts';
import { PartWriter } from '../../adapters/in-process/part-writer.ts';
import type { EventId } from '../../machines/wire/index.ts';
import type { FlushOutcome, LaneFlush } from '../../server/ports/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';

/** A lane that may lose its end, as a store does that falls back to a replica. */
function shortenedLane() {
  let bytes = Buffer.alloc(0);
  return {
    get text() {
      return bytes.toString('utf8');
    },
    get length() {
      return bytes.length;
    },
    lose: (count: number) => void (bytes = bytes.subarray(0, Math.max(0, bytes.length - count))),
    flush({ at, bytes: more }: LaneFlush): FlushOutcome {
      if (at !== bytes.length) return { at: bytes.length };
      bytes = Buffer.concat([bytes, more]);
      return 'ok';
    },
  };
}

const policy = { flushMs: 50, flushBytes: 4096 };

function writing() {
  const clock = fakeClock();
  const lane = shortenedLane();
  const unsent = { count: 0 };
  const told: string[] = [];
  let epoch = 0;
  let isSealed = false;
  const opened = (from: number) => ({
    part: 2,
    fence: { taskId: 't', lane: '2-1' as EventId, epoch: { mark: `e${epoch}`, was: null, from }, attempt: 1, node: 'n' },
  });
  const writer = new PartWriter(
    {
      clock,
      unsent,
      flush: async (flush) => (isSealed ? 'fenced' : lane.flush(flush)),
      async regain() {
        isSealed = false;
        epoch += 1;
        return opened(lane.length);
      },
      lost: () => void told.push('lost'),
      refused: () => void told.push('refused'),
      reason: () => new TaskStopped({ why: 'fenced' }),
    },
    policy,
  );
  writer.begin(opened(0));
  /** Lets all that waits be sent. */
  const sent = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      clock.advance(50);
      await new Promise(setImmediate);
    }
  };
  return { clock, lane, unsent, told, writer, sent, seal: () => void (isSealed = true) };
}

describe('the writer of a part whose lane has lost its end', () => {
  test('goes on from there with what was written', async () => {
    const { lane, writer, sent, told, unsent } = writing();
    void writer.write('Once upon ');
    await sent();
    lane.lose(5);
    void writer.write('a time');
    await sent();
    expect([lane.text, told, unsent.count]).toEqual(['Once upon a time', [], 0]);
  });

  test('does so too where it was sealed meanwhile', async () => {
    const { lane, writer, sent, told, seal } = writing();
    void writer.write('Once upon ');
    await sent();
    lane.lose(7);
    seal();
    void writer.write('a time');
    await sent();
    expect([lane.text, told]).toEqual(['Once upon a time', []]);
  });

  test('gives its run up where it lost more than is kept', async () => {
    const { lane, writer, sent, told, unsent } = writing();
    for (let i = 0; i < 40; i++) {
      void writer.write('x'.repeat(4096));
      await sent();
    }
    lane.lose(64 * 1024);
    void writer.write('y');
    await sent();
    expect([lane.length, told]).toEqual([160 * 1024 + 1, []]);
    lane.lose(100 * 1024);
    void writer.write('z');
    await sent();
    expect([told, unsent.count]).toEqual([['lost'], 0]);
  });

  test('gives its run up where it is longer than what was written', async () => {
    const { lane, writer, sent, told } = writing();
    void writer.write('mine');
    await sent();
    lane.flush({ at: 4, bytes: Buffer.from(' theirs') } as unknown as LaneFlush);
    void writer.write('!');
    await sent();
    expect(told).toEqual(['lost']);
  });

  test.each(Array.from({ length: 30 }, (_, seed) => seed + 1))('has all of it there in the end: history %i', async (seed) => {
    const { below, pick } = seededRandom(seed);
    const { clock, lane, writer, sent, told, unsent, seal } = writing();
    let whole = '';
    for (let step = 0; step < 60; step++) {
      const text = pick(['a ', 'büro ', '🙂', 'x'.repeat(900), 'ẞ'.repeat(3000)]);
      whole += text;
      void writer.write(text);
      if (below(5) === 0) lane.lose(below(20_000));
      if (below(8) === 0) seal();
      if (below(2) === 0) clock.advance(50);
      if (below(2) === 0) await new Promise(setImmediate);
    }
    writer.end();
    await sent();
    // What was lost last shows with the next flush only: the commit that closes the part finds it.
    lane.lose(0);
    expect([told, unsent.count, whole.startsWith(lane.text)]).toEqual([[], 0, true]);
    expect(lane.length).toBeGreaterThan(Buffer.byteLength(whole) - 20_001);
  });
});

describe('the writer of a part whose store takes its time', () => {
  function slowly() {
    const clock = fakeClock();
    const flushes: { readonly text: string; readonly answer: (outcome: FlushOutcome) => void }[] = [];
    const writer = new PartWriter(
      {
        clock,
        unsent: { count: 0 },
        flush: ({ bytes }) => new Promise((answer) => void flushes.push({ text: Buffer.from(bytes).toString('utf8'), answer })),
        regain: async () => undefined,
        lost: () => undefined,
        refused: () => undefined,
        reason: () => new TaskStopped({ why: 'fenced' }),
      },
      policy,
    );
    writer.begin({
      part: 2,
      fence: { taskId: 't', lane: '2-1' as EventId, epoch: { mark: 'e', was: null, from: 0 }, attempt: 1, node: 'n' },
    });
    return { clock, writer, flushes };
  }
  const turn = () => new Promise(setImmediate);

  test('rests from the start of a flush, and not from its answer: what took as long is followed at once', async () => {
    const { clock, writer, flushes } = slowly();
    void writer.write('Once');
    await turn();
    void writer.write(' upon');
    clock.advance(60);
    await turn();
    expect(flushes.map(({ text }) => text)).toEqual(['Once']);
    void writer.write(' a time');
    flushes[0]?.answer('ok');
    await turn();
    expect(flushes.map(({ text }) => text)).toEqual(['Once', ' upon a time']);
  });

  test('rests for what is left of its time, where the answer came sooner', async () => {
    const { clock, writer, flushes } = slowly();
    void writer.write('Once');
    await turn();
    clock.advance(20);
    flushes[0]?.answer('ok');
    await turn();
    void writer.write(' upon');
    clock.advance(29);
    await turn();
    expect(flushes).toHaveLength(1);
    clock.advance(1);
    await turn();
    expect(flushes.map(({ text }) => text)).toEqual(['Once', ' upon']);
  });
});
