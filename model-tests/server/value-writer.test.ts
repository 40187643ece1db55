import { describe, expect, test } from 'vitest';
import { TaskStopped } from '../../adapters/in-process/index.ts';
import { ValueWriter } from '../../adapters/in-process/value-writer.ts';
import type { EventId, Json } from '../../machines/wire/index.ts';
import type { FlushOutcome, LaneFlush } from '../../server/ports/index.ts';
import { LATEST_BYTES_MAX } from '../../server/store/index.ts';
import { fakeClock } from '../support/fake-clock.ts';

/** A writer, and a lane of one value, whose answers can be held back, and which may lose versions or be sealed. */
function writing() {
  const clock = fakeClock();
  const unsent = { count: 0 };
  const told: string[] = [];
  const written: (readonly [at: number, value: Json])[] = [];
  let length = 0;
  let epoch = 0;
  let isSealed = false;
  let held: Promise<void> | undefined;
  const opened = (from: number) => ({
    part: 2,
    fence: {
      taskId: 't',
      lane: '2-1' as EventId,
      epoch: { mark: `e${epoch}`, was: null, from },
      attempt: 1,
      node: 'n',
      latest: true as const,
    },
  });
  function answer({ at, bytes }: LaneFlush): FlushOutcome {
    if (isSealed) return 'fenced';
    if (at !== length) return { at: length };
    length += 1;
    written.push([at, JSON.parse(Buffer.from(bytes).toString('utf8')) as Json]);
    return 'ok';
  }
  const writer = new ValueWriter(
    {
      clock,
      unsent,
      async flush(flush) {
        await held;
        return answer(flush);
      },
      async regain() {
        isSealed = false;
        epoch += 1;
        return opened(length);
      },
      lost: () => void told.push('lost'),
      refused: () => void told.push('refused'),
      reason: () => new TaskStopped({ why: 'fenced' }),
    },
    'cell',
  );
  writer.begin(opened(0));
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  };
  /** Lets time pass, and what that brings be answered. */
  const pass = async (ms: number): Promise<void> => {
    await turns();
    clock.advance(ms);
    await turns();
  };
  return {
    ...{ writer, written, unsent, told, pass },
    lose: (versions: number) => void (length -= versions),
    seal: () => void (isSealed = true),
    hold() {
      let letGo = (): void => undefined;
      held = new Promise((resolve) => (letGo = resolve));
      return () => {
        held = undefined;
        letGo();
      };
    },
    mark: () => `e${epoch}`,
  };
}

describe('the writer of a value that is replaced', () => {
  test('sends the first at once, and of those that come within 50 ms the newest only', async () => {
    const { writer, written, unsent, pass } = writing();
    void writer.write({ n: 0 });
    await pass(0);
    expect(written).toEqual([[0, { n: 0 }]]);
    for (let n = 1; n < 100; n++) void writer.write({ n });
    await pass(49);
    expect(written).toHaveLength(1);
    await pass(1);
    expect(written.slice(1)).toEqual([[1, { n: 99 }]]);
    expect(unsent.count).toBe(0);
  });

  test('flushes twenty times a second at most, also where each value is waited for', async () => {
    const { writer, written, pass } = writing();
    for (let ms = 0; ms < 995; ms += 5) {
      void writer.write(ms);
      void writer.flushed();
      await pass(5);
    }
    expect(written).toHaveLength(20);
  });

  test('has one flush under way, and keeps one value meanwhile, however long the store takes', async () => {
    const { writer, written, unsent, pass, hold } = writing();
    const letGo = hold();
    const large = 'x'.repeat(1000);
    for (let n = 0; n < 1000; n++) {
      expect(writer.write(`${large}${n}`)).toBeUndefined();
      await Promise.resolve();
    }
    await pass(500);
    expect(written).toEqual([]);
    expect(unsent.count).toBeLessThan(2 * 1010);
    letGo();
    await pass(50);
    await pass(50);
    expect(written.map(([at, value]) => [at, (value as string).slice(1000)])).toEqual([
      [0, '0'],
      [1, '999'],
    ]);
    expect(unsent.count).toBe(0);
  });

  test('says that a value is there when it is, or one that has replaced it', async () => {
    const { writer, pass } = writing();
    expect(writer.flushed()).toBeUndefined();
    const seen: string[] = [];
    void writer.write(1);
    await pass(0);
    void writer.write(2);
    void writer.flushed()?.then(() => seen.push('2'));
    await pass(10);
    void writer.write(3);
    void writer.flushed()?.then(() => seen.push('3'));
    await pass(30);
    expect(seen).toEqual([]);
    await pass(10);
    expect(seen).toEqual(['2', '3']);
    expect(writer.flushed()).toBeUndefined();
  });

  test.each<[string, unknown, string]>([
    [
      'a value of too many bytes',
      '\u00fc'.repeat(LATEST_BYTES_MAX / 2),
      `PAYLOAD_TOO_LARGE: A value of the part "cell" was not written: it has 65538 bytes as JSON, and one may have 65536.`,
    ],
    [
      'what is no value',
      undefined,
      'REPORT_REFUSED: A value of the part "cell" was not written: what is at its root is no JSON value (undefined).',
    ],
    [
      'a number that JSON has none of',
      { rows: [{ n: 1 }, { n: Number.NaN }] },
      'REPORT_REFUSED: A value of the part "cell" was not written: what is at "/rows/1/n" is no finite number.',
    ],
    ['half a character', { 'a\ud800': 1 }, 'has a lone surrogate, which no encoder can carry.'],
    ['a list with a hole', [1, undefined], 'what is at "/1" is no JSON value (undefined).'],
    [
      'a value that has itself in it',
      (() => {
        const it: unknown[] = [];
        it.push(it);
        return it;
      })(),
      'it is nested deeper than 64.',
    ],
  ])('refuses %s with its place, and keeps the one before', async (_, value, message) => {
    const { writer, written, pass, unsent } = writing();
    void writer.write('before');
    const refused = await writer.write(value as Json)?.catch((error: Error & { code?: string }) => `${error.code}: ${error.message}`);
    expect(refused).toContain(message);
    await pass(50);
    expect([written, unsent.count]).toEqual([[[0, 'before']], 0]);
  });

  test('takes a value of the most bytes, and one with a field that is not there', async () => {
    const { writer, written, pass } = writing();
    expect(writer.write('x'.repeat(LATEST_BYTES_MAX - 2))).toBeUndefined();
    await pass(50);
    expect(writer.write({ a: 1, b: undefined })).toBeUndefined();
    await pass(50);
    expect(written[1]).toEqual([1, { a: 1 }]);
  });

  test('goes on in a new epoch where the store has lost versions: their numbers come again', async () => {
    const { writer, written, pass, lose, mark, told } = writing();
    for (const n of [1, 2, 3]) {
      void writer.write(n);
      await pass(50);
    }
    lose(2);
    void writer.write(4);
    await pass(50);
    await pass(50);
    expect([written.slice(3), mark(), told]).toEqual([[[1, 4]], 'e1', []]);
  });

  test('does so too where the lane was sealed by whoever did not come to close it', async () => {
    const { writer, written, pass, seal, mark } = writing();
    void writer.write(1);
    await pass(50);
    seal();
    void writer.write(2);
    await pass(50);
    await pass(50);
    expect([written, mark()]).toEqual([
      [
        [0, 1],
        [1, 2],
      ],
      'e1',
    ]);
  });

  test('takes nothing behind its end, and drops what waits when its run is over', async () => {
    const { writer, written, unsent, pass, hold } = writing();
    hold();
    void writer.write(1);
    await pass(0);
    void writer.write(2);
    const waited = writer.flushed()?.catch((error: unknown) => error);
    writer.end();
    await expect(writer.write(3)).rejects.toThrow('ended before');
    const reason = new TaskStopped({ why: 'fenced' });
    writer.fail(reason);
    expect([await waited, writer.write(4), written, unsent.count]).toEqual([reason, undefined, [], 0]);
  });
});
