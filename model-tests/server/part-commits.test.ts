import { describe, expect, test } from 'vitest';
import { createMemory, memoryStore } from '../../adapters/memory/index.ts';
import { emptyAggregate, type Intent } from '../../machines/index.ts';
import { eventNumber, limits, type Fact, type FactPayload } from '../../machines/wire/index.ts';
import { emptyExecutionRecord } from '../../server/attempt/execution-record.ts';
import type { Store, TaskBridgeError } from '../../server/index.ts';
import type { Fence, Lanes } from '../../server/store/index.ts';
import type { TaskSettings } from '../../server/task/settings.ts';
import { initialFields } from '../../server/task/task-record.ts';
import type { UnitOfWork } from '../../server/task/unit-of-work.ts';
import { OpenParts } from '../law/open-parts.ts';
import { commandProcessorOn } from './commit-path.ts';

const taskId = 'ab'.repeat(16);
const silent = { warn: () => undefined, error: () => undefined };
const inline = limits.partTextBytesMax;
const end: Intent = { type: 'report.completed', payload: { result: 'all' } };
const failure: Intent = { type: 'report.failed', payload: { code: 'BROKEN', message: 'It broke.', retryable: false } };
const cancelled: Intent = { type: 'report.cancelled', payload: { reason: 'Enough.' } };

/** A task at work in its first attempt, on a node, with what its parts are made and read by. */
async function atWork(settings: Partial<TaskSettings> = {}, wrap: (store: Store) => Store = (store) => store) {
  const memory = createMemory();
  const store = memoryStore({ memory });
  await store.open();
  const { lanes } = store;
  if (!lanes) throw new Error('The memory store has lanes.');
  const about = { taskId, taskType: 'work', clientRequestId: 'r', owner: 'ada', contentHash: 'c', requestKey: 'ab', createdAt: 0 };
  await store.create({
    ...{ taskId, requestKey: 'ab', owner: 'ada', taskType: 'work', sideValues: {}, plan: { wakeAt: null, work: null } },
    ...{ fields: initialFields(about, emptyAggregate, emptyExecutionRecord), state: 'accepted', adds: {}, sharesMax: {} },
  });
  const node = (of: Store = store) => commandProcessorOn(of, { settings, logger: silent });
  const processor = node(wrap(store));
  const execute = <A>(decide: (unit: UnitOfWork) => A, by = processor): Promise<A> => by.execute(taskId, { decide });
  const decide = (...intents: readonly Intent[]) => execute((unit) => intents.map((intent) => unit.decide(intent).refusal));
  const claim = (name: string, by = processor) => execute(claimedBy(name), by);
  const fences = async (): Promise<readonly Fence[]> => {
    const { execution } = await node().read(taskId);
    return Object.values(execution.lanes.open).map(({ lane, epoch, attempt, node: of }) => ({ taskId, lane, epoch, attempt, node: of }));
  };
  const open = async (opening: Parameters<UnitOfWork['parts']['noteOpening']>[1] = {}, name = 'answer'): Promise<Fence> => {
    await execute((unit) => {
      unit.decide({ type: 'report.part.opened', payload: { name, kind: 'text' } });
      unit.parts.noteOpening(unit.aggregate.task.context.openParts.at(-1)?.opened ?? 0, opening);
    });
    return (await fences()).at(-1) as Fence;
  };
  const write = async (fence: Fence, text: string, at = 0) => (await lanes.flush([{ fence, at, bytes: Buffer.from(text) }]))[0];
  const log = async (): Promise<readonly Fact[]> => {
    const page = await store.read(taskId, 1, { facts: 1e6, bytes: 1e9 });
    return (page?.entries ?? []).map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Fact);
  };
  const said = async () => (await log()).map(({ type }) => type.replace('TASK_', ''));
  const closings = async () => (await log()).flatMap(({ type, payload }) => (type === 'TASK_PART_CLOSED' ? [payload] : []));
  const lanesLeft = async () => (await lanes.newest([taskId]))[0]?.lanes.length;
  await claim('node-a');
  await decide({ type: 'report.started', payload: {} });
  return { store, lanes, processor, node, execute, decide, claim, open, write, fences, log, said, closings, lanesLeft };
}

/** Takes the work from whoever had it, and gives it to a node. */
function claimedBy(name: string): (unit: UnitOfWork) => boolean {
  return (unit) => {
    if (unit.execution.attempt.context.node === name) return true;
    unit.record({ type: 'attempt.started', keptOutside: false, retryAt: null });
    unit.record({ type: 'attempt.lost', crashed: false, retryAt: 0, restUntil: 0 });
    return unit.record({ type: 'attempt.claimed', node: name, startBy: 1 });
  };
}

describe('a part', () => {
  test('has a lane from the commit of its opening fact on, named by the whole id of that fact', async () => {
    const { open, write, log, lanes } = await atWork();
    const fence = await open({ key: '1' });
    const opening = (await log()).at(-1);
    expect(opening?.type).toBe('TASK_PART_OPENED');
    expect(fence).toMatchObject({ taskId, lane: opening?.eventId, attempt: 1, node: 'node-a', epoch: { was: null, from: 0 } });
    expect(await write(fence, 'four')).toBe('ok');
    expect((await lanes.newest([taskId]))[0]).toMatchObject({ eventId: fence.lane, lanes: [{ lane: fence.lane, length: 4 }] });
  });

  test('is closed with its text, and its lane is gone', async () => {
    const { open, write, execute, closings, lanes, lanesLeft, fences } = await atWork();
    const fence = await open();
    await write(fence, 'Überall');
    expect(await execute((unit) => unit.parts.close(2, 'DONE'))).toBeUndefined();
    expect(await closings()).toEqual([{ part: 2, bytes: 8, outcome: 'DONE', text: 'Überall' }]);
    expect([await lanesLeft(), await fences(), await lanes.readPart(taskId, fence.lane, 0, 9)]).toEqual([0, [], undefined]);
    expect(await execute((unit) => unit.parts.close(2, 'DONE'))).toBe('PART_NOT_OPEN');
  });

  test.each([
    ['has room in its closing fact', inline, true],
    ['has not', inline + 1, false],
  ])('of %s keeps its lane where its text is in no fact', async (_, bytes, isInline) => {
    const { open, write, decide, closings, lanes, processor } = await atWork();
    const fence = await open();
    await write(fence, 'x'.repeat(bytes));
    await decide(end);
    const [closing] = await closings();
    expect([closing?.bytes, closing?.text?.length]).toEqual([bytes, isInline ? bytes : undefined]);
    expect((await lanes.readPart(taskId, fence.lane, 0, 1))?.length).toBe(isInline ? undefined : bytes);
    const { execution } = await processor.read(taskId);
    expect(execution.lanes).toMatchObject({ open: {}, kept: isInline ? {} : { 2: fence.lane } });
    expect(execution.bytes.others).toBeGreaterThanOrEqual(isInline ? 0 : bytes);
  });

  test('of a text that a fact of this host has no room for keeps its lane, and ends all the same', async () => {
    const { open, write, decide, closings } = await atWork({ factBytesMax: 2048 });
    await write(await open(), '\u0001'.repeat(300));
    await decide(end);
    expect(await closings()).toEqual([{ part: 2, bytes: 300, outcome: 'DONE' }]);
  });

  test('that is opened and closed in one commit has no lane', async () => {
    const { execute, closings, lanesLeft } = await atWork();
    await execute((unit) => {
      unit.decide({ type: 'report.part.opened', payload: { name: 'answer', kind: 'text' } });
      return unit.parts.close(2, 'DONE');
    });
    expect([await closings(), await lanesLeft()]).toEqual([[{ part: 2, bytes: 0, outcome: 'DONE', text: '' }], 0]);
  });

  test('says what it has, whatever length is wished', async () => {
    const { open, write, decide, closings } = await atWork();
    await write(await open(), 'four');
    await decide({ type: 'report.part.closed', payload: { part: 2, bytes: 1, outcome: 'DONE', text: 'x' } });
    expect(await closings()).toEqual([{ part: 2, bytes: 4, outcome: 'DONE', text: 'four' }]);
  });

  test('is no part of a command that is refused after it was sealed', async () => {
    const { open, write, execute, decide, said } = await atWork();
    const fence = await open();
    const refused = execute((unit) => {
      unit.decide(end);
      throw new RangeError('No.');
    });
    await expect(refused).rejects.toThrow();
    expect((await said()).at(-1)).toBe('PART_OPENED');
    // Sealed, and open: its writer lets it go on.
    expect(await write(fence, 'lost')).toBe('fenced');
    expect(await execute((unit) => unit.parts.goOn(2))).toBe(true);
    expect(await decide(end)).toEqual([undefined]);
  });
});

describe('what ends a task', () => {
  test.each([
    ['its completion', end, 'DONE'],
    ['its failure', failure, 'ABANDONED'],
    ['its cancellation', cancelled, 'ABANDONED'],
    ['a failure of the server', { type: 'task.fail', payload: failure.payload } as Intent, 'ABANDONED'],
  ])('closes what is open first: %s', async (_, intent, outcome) => {
    const { open, write, decide, log, said, closings } = await atWork();
    await write(await open(), 'one');
    await write(await open(), 'two');
    await decide(intent);
    expect(await closings()).toEqual([
      { part: 2, bytes: 3, outcome, text: 'one' },
      { part: 3, bytes: 3, outcome, text: 'two' },
    ]);
    expect((await said()).slice(3, 5)).toEqual(['PART_CLOSED', 'PART_CLOSED']);
    const law = new OpenParts();
    expect((await log()).flatMap((fact) => law.take(fact) ?? [])).toEqual([]);
  });

  test('is a cancel too, where nobody has to be told', async () => {
    const { open, write, decide, closings, said } = await atWork();
    await write(await open(), 'one');
    await decide({
      type: 'report.suspended',
      payload: { suspendId: 'q', kind: 'USER_ACTION_REQUIRED', reasonCode: 'Q', allowedActions: ['ok'], schemaVersion: 1 },
    });
    await decide({ type: 'task.cancel' });
    expect(await closings()).toEqual([{ part: 2, bytes: 3, outcome: 'ABANDONED', text: 'one' }]);
    expect((await said()).slice(-3)).toEqual(['PART_CLOSED', 'SUSPENSION_CLOSED', 'CANCELLED']);
  });

  test('closes nothing where work that runs is only asked to end', async () => {
    const { open, write, decide, closings } = await atWork();
    const fence = await open();
    await decide({ type: 'task.cancel' });
    expect([await closings(), await write(fence, 'Goodbye.')]).toEqual([[], 'ok']);
    await decide(cancelled);
    expect(await closings()).toEqual([{ part: 2, bytes: 8, outcome: 'ABANDONED', text: 'Goodbye.' }]);
  });
});

describe('a new attempt', () => {
  test('abandons what the one before left open, and fences it', async () => {
    const { open, write, claim, closings, said, fences } = await atWork();
    const fence = await open();
    await write(fence, 'half a sen');
    expect(await claim('node-b')).toBe(true);
    expect(await closings()).toEqual([{ part: 2, bytes: 10, outcome: 'ABANDONED', text: 'half a sen' }]);
    expect([(await said()).at(-1), await fences(), await write(fence, 'tence', 10)]).toEqual(['PART_CLOSED', [], 'fenced']);
  });

  test('goes on with what the one before wished to be gone on with', async () => {
    const { open, write, claim, closings, fences, decide, execute } = await atWork();
    const left = await open({ key: '1' }, 'log');
    const old = await open({ key: '2', onRerun: 'continue' });
    await write(old, 'half a sen');
    await claim('node-b');
    expect(await closings()).toEqual([{ part: eventNumber(left.lane) && 2, bytes: 0, outcome: 'ABANDONED', text: '' }]);
    const [next] = await fences();
    expect(next).toMatchObject({ lane: old.lane, attempt: 2, node: 'node-b', epoch: { was: old.epoch.mark, from: 10 } });
    expect([await write(old, 'x', 10), await write(next as Fence, 'tence', 10)]).toEqual(['fenced', 'ok']);
    const adopts = (part: number, key = 'its own') => execute((unit) => unit.parts.adopt(part, key));
    // Once: it is nobody else's to take up again, as is what was abandoned. Said again, where nobody heard whether it was written, it is so.
    expect([await adopts(2), await adopts(3), await adopts(3, 'another'), await adopts(3)]).toEqual([false, true, false, true]);
    // Under the same fence: what was shown of it stays.
    expect(await fences()).toEqual([next]);
    await decide(end);
    expect((await closings()).at(-1)).toEqual({ part: 3, bytes: 15, outcome: 'DONE', text: 'half a sentence' });
  });
});

test('what an earlier attempt left, and the one that ends the task did not take up, is abandoned by the end, and said to be whole by nobody', async () => {
  const { open, write, claim, closings, decide, said } = await atWork();
  await write(await open({ key: '1', onRerun: 'continue', closeAs: 'message' }), 'half a sen');
  await claim('node-b');
  // And nor is what a third one finds.
  await claim('node-c');
  await open({ key: '1' });
  await decide(end);
  expect((await closings()).map(({ part, outcome, text }) => [part, outcome, text])).toEqual([
    [2, 'ABANDONED', 'half a sen'],
    [3, 'DONE', ''],
  ]);
  expect(await said()).not.toContain('MESSAGE');
});

describe('a part that is said once more as a message', () => {
  const messagesIn = async (log: () => Promise<readonly Fact[]>): Promise<readonly string[]> =>
    (await log()).flatMap(({ type, payload }) => (type === 'TASK_MESSAGE' ? [(payload as FactPayload<'TASK_MESSAGE'>).message] : []));

  test('is one, in the commit that closes it', async () => {
    const { open, write, decide, log, said } = await atWork();
    await write(await open({ closeAs: 'message' }), 'x'.repeat(inline + 1));
    await decide(end);
    expect(await messagesIn(log)).toEqual(['x'.repeat(inline + 1)]);
    expect((await said()).slice(-3)).toEqual(['PART_CLOSED', 'MESSAGE', 'COMPLETED']);
  });

  test('is several where one fact has no room for it, and no character is cut', async () => {
    const { open, write, decide, log } = await atWork({ factBytesMax: 4096 });
    const text = `a${'🙂'.repeat(2500)}\n`.repeat(2);
    await write(await open({ closeAs: 'message' }), text);
    await decide(end);
    const messages = await messagesIn(log);
    expect(messages.length).toBeGreaterThan(3);
    expect(messages.join('')).toBe(text);
    for (const fact of await log()) expect(Buffer.byteLength(JSON.stringify(fact))).toBeLessThanOrEqual(4096);
  });

  test('is none where nothing was written, or where it is abandoned', async () => {
    const { open, write, decide, log, execute } = await atWork();
    await open({ closeAs: 'message' });
    await execute((unit) => unit.parts.close(2, 'DONE'));
    await write(await open({ closeAs: 'message' }), 'half');
    await decide(failure);
    expect(await messagesIn(log)).toEqual([]);
  });
});

/** Dies at the nth of the calls that a commit which closes parts is made of, before it or behind it: from then on nothing reaches the store. */
function dyingStore(store: Store, nth: number, isWritten: boolean): Store & { readonly calls: () => number } {
  let calls = 0;
  const at = <A extends unknown[], R>(verb: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      calls += 1;
      if (calls > nth || (calls === nth && !isWritten)) throw new Error('This process is dead.');
      const answer = await verb(...args);
      if (calls === nth) throw new Error('This process is dead.');
      return answer;
    };
  };
  const lanes = store.lanes as Lanes;
  const dying = {
    seal: at((fence: Fence) => lanes.seal(fence)),
    readPart: at((...given: Parameters<Lanes['readPart']>) => lanes.readPart(...given)),
  };
  return { ...store, lanes: { ...lanes, ...dying }, append: at((commit) => store.append(commit)), calls: () => calls };
}

describe('a process that dies between any two calls of its store', () => {
  test.each([
    ['ends the task', 5, (unit: UnitOfWork) => unit.decide(end).facts.length > 0],
    ['closes a part', 3, (unit: UnitOfWork) => unit.parts.close(2, 'DONE') === undefined],
    ['claims the work', 5, claimedBy('node-b')],
  ])('while it %s leaves what the next one repairs', async (_, callsOfIt, command) => {
    let deaths = 0;
    for (const isWritten of [false, true])
      for (let nth = 1; nth <= 9; nth++) {
        const { open, write, node, store, execute, log, closings, lanesLeft } = await atWork();
        const fence = await open({ onRerun: 'continue' });
        await write(fence, 'half a sen');
        await write(await open(), 'other');
        const dying = dyingStore(store, nth, isWritten);
        const processor = node(dying);
        processor.stopRetrying();
        const died = await execute(command, processor).catch((error: TaskBridgeError) => error.code);
        // The last round meets no death.
        if (dying.calls() < nth) break;
        expect(died).toBe('STORE_UNAVAILABLE');
        deaths += 1;
        // Whoever comes next: it is asked again, or the work is claimed and ends.
        await execute(command, node());
        await execute(claimedBy('node-c'), node()).catch(() => undefined);
        await execute((unit) => unit.decide(end), node());
        const law = new OpenParts();
        expect((await log()).flatMap((fact) => law.take(fact) ?? [])).toEqual([]);
        expect((await log()).at(-1)?.type).toBe('TASK_COMPLETED');
        expect((await closings()).map(({ text }) => text).sort()).toEqual(['half a sen', 'other']);
        expect(await lanesLeft()).toBe(0);
      }
    expect(deaths).toBe(2 * callsOfIt);
  });
});
