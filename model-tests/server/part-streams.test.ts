import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { inProcess, type Handler, type PartOptions, type Task, type TaskStopped } from '../../adapters/in-process/index.ts';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { limits, type Fact } from '../../machines/wire/index.ts';
import type { Store } from '../../server/index.ts';
import type { LaneFlush, Lanes } from '../../server/store/index.ts';
import { bridgeOf } from './bridge-of.ts';
import { closings, ended, noted, quiet, running, said, textOf } from './part-runs.ts';

const ANSWER: PartOptions = { kind: 'text' };

describe('a part of a handler', () => {
  test('has all that was written, in its order, and is closed by its end', async () => {
    const host = await running(async (task) => {
      const out = task.stream('answer', { ...ANSWER, attributes: { model: 'm' } });
      for (const word of ['Once ', 'upon ', 'a time']) void out.write(word);
      await out.end();
      return out.text;
    });
    expect((await ended(host)).result).toBe('');
    expect(await closings(host)).toEqual([{ part: 2, bytes: 16, outcome: 'DONE', text: 'Once upon a time' }]);
    const [, opened] = await host.of.facts(host.taskId);
    expect(opened?.payload).toEqual({ name: 'answer', kind: 'text', attributes: { model: 'm' } });
    expect(await said(host)).toEqual(['STARTED', 'PART_OPENED', 'PART_CLOSED', 'COMPLETED']);
  });

  test.each<[string, Handler, string]>([
    ['DONE where it returns', async (task) => void task.stream('answer', ANSWER).write('half'), 'DONE'],
    [
      'ABANDONED where it throws',
      (task) => {
        void task.stream('answer', ANSWER).write('half');
        return Promise.reject(new Error('no'));
      },
      'ABANDONED',
    ],
  ])('that the handler leaves open is closed as %s, with all that it wrote', async (_, handler, outcome) => {
    const host = await running(handler);
    await ended(host);
    expect(await closings(host)).toEqual([{ part: 2, bytes: 4, outcome, text: 'half' }]);
  });

  test('is abandoned by a cancel, with what the handler wrote until its end', async () => {
    const host = await running(async (task) => {
      const out = task.stream('answer', ANSWER);
      void out.write('half ');
      await new Promise<void>((resolve) => task.signal.addEventListener('abort', () => resolve()));
      void out.write('a word');
      throw task.signal.reason;
    });
    await vi.waitFor(async () => expect(await said(host)).toContain('PART_OPENED'));
    await host.of.cancel(host.taskId);
    await ended(host);
    expect(await closings(host)).toEqual([{ part: 2, bytes: 11, outcome: 'ABANDONED', text: 'half a word' }]);
  });

  test('has its text in the store before whatever is reported behind it', async () => {
    const { store, calls } = noted();
    const lengths: (readonly [string, string])[] = [];
    const watching: Store = {
      ...store,
      async append(commit) {
        const written = calls.flat().map(textOf).join('');
        for (const { bytes } of commit.facts) lengths.push([(JSON.parse(Buffer.from(bytes).toString()) as Fact).type, written]);
        return store.append(commit);
      },
    };
    const host = await running(async (task) => {
      const out = task.stream('answer', ANSWER);
      void out.write('a');
      void task.progress(1);
      void out.write('b');
      void task.message('Said.');
      void out.write('c');
      await task.save(1);
      void out.write('d');
      const other = task.stream('other', ANSWER);
      void other.write('e');
      await task.save(2);
      void out.write('f');
      void task.suspend('q', { reasonCode: 'Q', allowedActions: ['ok'] });
      void out.write('g');
    }, watching);
    await ended(host);
    const before = (type: string): string | undefined => lengths.find(([of]) => of === `TASK_${type}`)?.[1];
    expect(before('PROGRESS')).toMatch(/^a/);
    expect(before('MESSAGE')).toMatch(/^ab/);
    expect(before('SUSPENDED')).toMatch(/^abc.*e.*f|^abc.*d.*f/);
    expect(before('COMPLETED')).toHaveLength(7);
  });

  test('is flushed at once, and then by and by: one flush is under way, and takes what came meanwhile', async () => {
    let letGo = (): void => undefined;
    const { store, calls } = noted({
      before: (call) => (call === 1 ? new Promise<void>((resolve) => (letGo = resolve)) : Promise.resolve()),
    });
    const host = await running(async (task) => {
      const out = task.stream('answer', { ...ANSWER, flushMs: 10, flushBytes: 1 });
      await out.text;
      void out.write('0');
      await vi.waitFor(() => expect(calls).toHaveLength(1));
      for (let i = 1; i < 100; i++) {
        void out.write(String(i % 10));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(calls).toHaveLength(1);
      letGo();
      await out.end();
    }, store);
    expect((await ended(host)).state).toBe('completed');
    expect(calls.flat().map(({ at, bytes }) => [at, bytes.byteLength])).toEqual([
      [0, 1],
      [1, 99],
    ]);
  });

  test('asks who writes to wait where too much is unsent, and resolves when there is room', async () => {
    let letGo = (): void => undefined;
    const { store } = noted({ before: (call) => (call === 1 ? new Promise<void>((resolve) => (letGo = resolve)) : Promise.resolve()) });
    const host = await running(async (task) => {
      const out = task.stream('answer', ANSWER);
      const first = out.write('x'.repeat(60_000));
      const second = out.write('x'.repeat(10_000));
      let isFree = false;
      void second?.then(() => (isFree = true));
      await new Promise((resolve) => setTimeout(resolve, 30));
      const before = [first === undefined, second instanceof Promise, isFree];
      letGo();
      await second;
      return before;
    }, store);
    expect((await ended(host)).result).toEqual([true, true, false]);
  });

  test('cuts no character in two, wherever its pieces or its flushes end', async () => {
    const text = 'a🙂'.repeat(100_000);
    const { store, calls } = noted();
    const host = await running(async (task) => {
      const out = task.stream('answer', ANSWER);
      for (const piece of ['\ud83d', '\ude42', 'b\ud83d', '\ude42c']) {
        void out.write(piece);
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      await out.write(text);
      void out.write('\ud83d');
      await out.end();
    }, store);
    expect((await ended(host)).state).toBe('completed');
    expect(calls.flat().map(textOf).join('')).toBe(`🙂b🙂c${text}\ufffd`);
    expect(calls.length).toBeGreaterThan(4);
  });

  test('takes nothing of what makes it longer than one may be', async () => {
    const host = await running(async (task) => {
      const out = task.stream('answer', ANSWER);
      await out.write('x'.repeat(limits.partBytesMax - 1));
      const refused = await (out.write('yy') as Promise<void>).catch(
        (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
      );
      await out.write('z');
      await out.end();
      return refused as string;
    });
    const { result, state, failure } = await ended(host);
    expect([state, failure?.message]).toEqual(['completed', undefined]);
    expect(result).toBe('PAYLOAD_TOO_LARGE: A part of 4194305 bytes was not written: one may have 4194304.');
    expect(await closings(host)).toEqual([{ part: 2, bytes: limits.partBytesMax, outcome: 'DONE' }]);
  });

  test('takes all of a source, as fast as the store does, and fails as the source does', async () => {
    async function* words() {
      for (let i = 0; i < 1000; i++) yield `${i} `.repeat(50);
      await Promise.resolve();
    }
    const host = await running(async (task) => {
      await task.stream('answer', ANSWER).pipe(words());
    });
    await ended(host);
    let whole = '';
    for await (const word of words()) whole += word;
    expect((await closings(host))[0]?.bytes).toBe(whole.length);
    const broken = await running(async (task) => {
      async function* breaks(): AsyncGenerator<string> {
        await Promise.reject(new RangeError('The model is away.'));
      }
      await task.stream('answer', ANSWER).pipe(breaks());
    });
    expect((await ended(broken)).failure?.code).toBe('HANDLER_FAILED');
  });
});

describe('a part that cannot be', () => {
  test.each<[string, (task: Task) => unknown, RegExp, string]>([
    ['a seventeenth', (task) => Array.from({ length: 17 }, () => task.stream('a', ANSWER)), /TOO_MANY_OPEN_PARTS/, 'TOO_MANY_OPEN_PARTS'],
    ['one without a name', (task) => task.stream('', ANSWER), /TASK_PART_OPENED was not written: payload.name/, 'REPORT_REFUSED'],
    ['a flush too often', (task) => task.stream('a', { ...ANSWER, flushMs: 5 }), /^The work failed/, 'HANDLER_FAILED'],
  ])('fails the task where nobody hears of it: %s', async (_, open, message, code) => {
    const host = await running((task) => Promise.resolve(void open(task)));
    expect((await ended(host)).failure).toMatchObject({ code, message: expect.stringMatching(message) as string });
  });

  test('is one on a store that keeps none, which is named; and the handler may go on', async () => {
    const { lanes: _, ...store } = memoryStore();
    const host = await running(async (task) => {
      const out = task.stream('answer', ANSWER);
      void out.write('lost');
      return (await out.end().catch((error: Error) => error.message)) as string;
    }, store);
    const { result, state } = await ended(host);
    expect(state).toBe('completed');
    expect(result).toBe('A report was not taken: the type of intent 0 is of a part, and the store "memory" keeps none.');
  });
});

describe('a store that fails', () => {
  test('is asked again with the very flush, and what it had written is written once', async () => {
    const store = memoryStore();
    const lanes = store.lanes as Lanes;
    const seen: (readonly [number, string])[] = [];
    let calls = 0;
    const flush: Lanes['flush'] = async (flushes) => {
      calls += 1;
      for (const each of flushes) seen.push([each.at, textOf(each)]);
      // Lost on its way there, then on its way back.
      if (calls === 1) throw new Error('away');
      const answers = await lanes.flush(flushes);
      if (calls === 2) throw new Error('away');
      return answers;
    };
    const host = await running(
      async (task) => {
        const out = task.stream('answer', ANSWER);
        void out.write('one ');
        await vi.waitFor(() => expect(calls).toBeGreaterThan(1));
        void out.write('two');
        await out.end();
      },
      { ...store, lanes: { ...lanes, flush } },
    );
    await ended(host);
    expect(seen.slice(0, 3)).toEqual(Array(3).fill([0, 'one ']));
    expect(await closings(host)).toEqual([{ part: 2, bytes: 7, outcome: 'DONE', text: 'one two' }]);
  });

  test('and was sealed by whoever did not come to close it, is written on in a new epoch', async () => {
    const memory = createMemory();
    const store = memoryStore({ memory });
    const other = memoryStore({ memory });
    await other.open();
    onTestFinished(() => other.close());
    let go = (): void => undefined;
    const host = await running(async (task) => {
      const out = task.stream('answer', ANSWER);
      await out.text;
      void out.write('before ');
      await task.progress(50);
      await new Promise<void>((resolve) => (go = resolve));
      void out.write('after');
      await out.end();
    }, store);
    await vi.waitFor(async () => expect(await said(host)).toContain('PROGRESS'));
    const { lanes = '' } = (await other.load(host.taskId))?.fields ?? {};
    const { lane, epoch, attempt, node } = (JSON.parse(lanes) as { open: Record<string, LaneFlush['fence']> })
      .open[2] as LaneFlush['fence'];
    expect(await other.lanes?.seal({ taskId: host.taskId, lane, epoch, attempt, node })).toBe(7);
    go();
    expect((await ended(host)).state).toBe('completed');
    expect(await closings(host)).toEqual([{ part: 2, bytes: 12, outcome: 'DONE', text: 'before after' }]);
  });

  test('and has lost the end of a part gives the run up, and the next one begins anew', async () => {
    const store = memoryStore();
    const lanes = store.lanes as Lanes;
    let hasLost = false;
    const flush: Lanes['flush'] = async (flushes) => {
      if (hasLost || !flushes.some(({ at }) => at > 0)) return lanes.flush(flushes);
      hasLost = true;
      return flushes.map(() => ({ at: 2 }));
    };
    const whys: string[] = [];
    const host = await running(
      async (task) => {
        const out = task.stream('answer', ANSWER);
        try {
          for (const word of ['one ', 'two ', 'three']) {
            void out.write(word);
            await task.progress(1);
          }
        } catch (error) {
          whys.push((error as TaskStopped).why);
          throw error;
        }
        return task.attempt;
      },
      { ...store, lanes: { ...lanes, flush } },
      true,
    );
    expect(await ended(host)).toMatchObject({ state: 'completed', result: 2 });
    expect(whys).toEqual(['fenced']);
    expect((await closings(host)).map(({ outcome, text }) => [outcome, text])).toEqual([
      ['ABANDONED', 'one '],
      ['DONE', 'one two three'],
    ]);
  });
});

describe('a run that begins again', () => {
  /** Runs a handler on a node that is gone in the midst of it, then on another one. */
  async function twice(options: PartOptions, handler: (task: Task, text: string) => Promise<void>) {
    const memory = createMemory();
    const texts: string[] = [];
    const run: Handler = async (task) => {
      const out = task.stream('answer', options);
      const text = await out.text;
      texts.push(text);
      if (task.attempt === 1) {
        void out.write('Once upon ');
        await task.save(1);
        return new Promise<never>(() => undefined);
      }
      void out.write('a time.');
      await handler(task, text);
    };
    const node = () =>
      bridgeOf(inProcess({ work: { run, repeatable: true } }, { logger: quiet }), { store: memoryStore({ memory }), logger: quiet });
    const first = await node();
    const taskId = await first.start('work');
    await vi.waitFor(async () => expect((await first.facts(taskId)).length).toBe(2));
    await vi.waitFor(async () => {
      const store = memoryStore({ memory });
      await store.open();
      expect((await store.sideValues(taskId, ['saved']))[0]).toBe('1');
    });
    const of = await node();
    await first.close();
    return { of, taskId, texts };
  }

  test('abandons what it wrote before, and opens another part', async () => {
    const host = await twice(ANSWER, () => Promise.resolve());
    await ended(host);
    expect((await closings(host)).map(({ part, outcome, text }) => [part, outcome, text])).toEqual([
      [2, 'ABANDONED', 'Once upon '],
      [4, 'DONE', 'a time.'],
    ]);
    expect(host.texts).toEqual(['', '']);
  });

  test('goes on with it where the handler wishes so, and knows what is there', async () => {
    const host = await twice({ ...ANSWER, onRerun: 'continue' }, () => Promise.resolve());
    await ended(host);
    expect((await closings(host)).map(({ part, outcome, text }) => [part, outcome, text])).toEqual([[2, 'DONE', 'Once upon a time.']]);
    expect(host.texts).toEqual(['', 'Once upon ']);
  });
});
