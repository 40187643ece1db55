import { TaskFailure } from 'taskbridge/adapters/in-process';
import { memoryStore } from 'taskbridge/adapters/memory';
import { createTestBridge } from 'taskbridge/server/testing';
import { eventNumber, isFact, limits, type FactPayload, type JsonObject } from 'taskbridge/wire';
import { expect, onTestFinished, vi } from 'vitest';
import { bridgeOf } from '../server/bridge-of.ts';
import { commitPathOn } from '../server/commit-path.ts';
import { atLast, most, testBoundaries, type BoundaryRequest } from './boundaries.ts';
import { heldTasks } from './held-tasks.ts';

type Call = (method: string, path: string, body?: unknown) => Promise<string>;

let requests = 0;
const fresh = (): string => `r${(requests += 1)}`;

/** A bridge whose tasks are held; an answer is its status, and the code of a refusal. */
async function world() {
  const held = heldTasks();
  const bridge = await bridgeOf(held.executor);
  const call: Call = async (method, path, body) => {
    const response = await fetch(`${bridge.url}/api/v1/tasks${path}`, {
      method,
      headers: { authorization: 'alice', 'content-type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const { code } = (await response.json()) as { code?: string };
    return code === undefined ? String(response.status) : `${response.status} ${code}`;
  };
  const start = async () => {
    const taskId = await bridge.start('hold');
    return { taskId, task: await held.of(taskId) };
  };
  return { ...bridge, held, call, begin: start };
}

const INVALID = '422 REQUEST_VALIDATION_ERROR';
/** What became of a report. */
const outcome = (said: Promise<unknown>) =>
  said.then(
    () => 'taken',
    (error: { code: string }) => error.code,
  );
const text = (characters: number) => 'x'.repeat(characters);

async function report(
  say: (task: Awaited<ReturnType<Awaited<ReturnType<typeof world>>['begin']>>['task'], amount: number) => Promise<unknown>,
) {
  const { begin } = await world();
  const { task } = await begin();
  return (amount: number) => outcome(say(task, amount));
}

async function created(body: (amount: number) => JsonObject): Promise<BoundaryRequest> {
  const { call } = await world();
  return (amount) => call('POST', '', { clientRequestId: fresh(), taskType: 'hold', ...body(amount) });
}

async function acted(action: (amount: number, suspendId: string) => JsonObject): Promise<BoundaryRequest> {
  const { begin, call, snapshot } = await world();
  const { taskId, task } = await begin();
  return async (amount) => {
    const key = fresh();
    const allowedActions = ['yes', text(Math.min(amount, limits.textIdCharactersMax))];
    // Those that nobody answers are withdrawn with their bridge.
    task.suspend(key, { reasonCode: 'Q', allowedActions }).catch(() => undefined);
    const suspendId = await vi.waitFor(async () => {
      const { suspensions } = await snapshot(taskId);
      const open = suspensions.find((one) => one.suspendId.startsWith(key));
      expect(open).toBeDefined();
      return open?.suspendId ?? '';
    });
    return call('POST', `/${taskId}/actions`, { clientActionId: fresh(), suspendId, actionType: 'yes', ...action(amount, suspendId) });
  };
}

/** What becomes of parts, each of a task of its own: no door takes them, so they come from the commit path. */
async function withParts() {
  const store = memoryStore();
  const { start, facts } = await bridgeOf(heldTasks().executor, { store });
  const commit = commitPathOn(store);
  const begin = async () => {
    const taskId = await start('hold');
    const opens = (attributes = {}) =>
      commit(taskId, { type: 'report.part.opened', payload: { name: 'answer', kind: 'text', attributes } });
    /** Closes the part that was opened last. */
    const closes = async (payload: Omit<FactPayload<'TASK_PART_CLOSED'>, 'part' | 'outcome'>) => {
      const opened = (await facts(taskId)).findLast((fact) => isFact(fact, 'TASK_PART_OPENED'));
      const part = Number(eventNumber(opened?.eventId ?? ''));
      return commit(taskId, { type: 'report.part.closed', payload: { part, outcome: 'DONE', ...payload } });
    };
    return { opens, closes };
  };
  return { begin };
}

testBoundaries('the limits of the protocol', limits, {
  streamTasksMax: most(64, 200, 422, async () => {
    const { url } = await world();
    return async (amount) => {
      const set = Array.from({ length: amount }, (_, i) => `t${i}@`).join(',');
      const response = await fetch(`${url}/api/v1/tasks/events/stream?tasks=${set}`, { headers: { authorization: 'alice' } });
      await response.text();
      return response.status;
    };
  }),
  textIdCharactersMax: [
    most(256, '201', INVALID, () => created((amount) => ({ clientRequestId: fresh().padEnd(amount, 'x') })), 'clientRequestId'),
    most(256, '201', INVALID, () => created((amount) => ({ taskType: text(amount) })), 'taskType'),
    most(256, '202', INVALID, () => acted((amount) => ({ clientActionId: fresh().padEnd(amount, 'x') })), 'clientActionId'),
    most(256, '404 TASK_NOT_FOUND', INVALID, () => acted((amount) => ({ suspendId: text(amount) })), 'suspendId'),
    most(256, '202', INVALID, () => acted((amount) => ({ actionType: text(amount) })), 'actionType'),
  ],
  stageCharactersMax: most(256, 'taken', 'REQUEST_VALIDATION_ERROR', () =>
    report((task, amount) => task.progress(1, { stage: text(amount) })),
  ),
  noteCharactersMax: [
    most(
      1024,
      'taken',
      'REQUEST_VALIDATION_ERROR',
      () => report((task, amount) => task.progress(1, { message: text(amount) })),
      'a progress message',
    ),
    most(
      1024,
      '202',
      INVALID,
      async () => {
        const { begin, call } = await world();
        return async (amount) => call('POST', `/${(await begin()).taskId}/cancel`, { reason: text(amount) });
      },
      'a cancel reason',
    ),
    {
      // A handler's own words are cut, not refused: its task has to end.
      of: 'a failure message',
      limit: 1024,
      answers: [1023, 1024, 1024],
      async open() {
        const { begin, held, snapshot } = await world();
        return async (amount) => {
          const { taskId } = await begin();
          held.end(taskId, new TaskFailure('BROKEN', text(amount)));
          const failure = await vi.waitFor(async () => {
            const { failure: told } = await snapshot(taskId);
            expect(told).toBeDefined();
            return told;
          });
          return failure?.message.length;
        };
      },
    },
  ],
  titleCharactersMax: most(256, '201', INVALID, () => created((amount) => ({ title: text(amount) }))),
  labelsMax: most(16, '201', INVALID, () => created((amount) => ({ labels: Array.from({ length: amount }, (_, nth) => `l${nth}`) }))),
  labelCharactersMax: most(64, '201', INVALID, () => created((amount) => ({ labels: ['a', text(amount)] }))),
  snapshotValueBytesMax: [
    most(16 * 1024, 'shown', 'its size', () => given('input'), 'input'),
    most(16 * 1024, 'shown', 'its size', () => given('metadata'), 'metadata'),
  ],
  listTasksMax: most(100, '200', INVALID, async () => {
    const { call } = await world();
    return (amount) => call('GET', `?limit=${amount}`);
  }),
  listNamesMax: { limit: 500, answers: ['1, ends', '1, goes on', '0, goes on'], open: listOfMany },
  listBytesMax: atLast(4 * 1024 * 1024, 'goes on', 'ends', listOfLarge),
  openSuspensionsMax: {
    limit: 16,
    answers: ['15 open', '16 open', 'TOO_MANY_OPEN_SUSPENSIONS'],
    async open() {
      const { begin, snapshot } = await world();
      return async (amount) => {
        const { taskId, task } = await begin();
        const refused = new Promise((_, reject) => {
          for (let nth = 1; nth <= amount; nth += 1) task.suspend(`q${nth}`, { reasonCode: 'Q', allowedActions: ['yes'] }).catch(reject);
        }).catch(({ code }: { code: string }) => code);
        const level = vi.waitFor(async () => {
          const { suspensions } = await snapshot(taskId);
          expect(suspensions).toHaveLength(amount);
          return `${amount} open`;
        });
        level.catch(() => undefined);
        return Promise.race([refused, level]);
      };
    },
  },
  suspensionsMax: {
    limit: 1000,
    answers: ['answered', 'answered', 'TOO_MANY_SUSPENSIONS'],
    async open() {
      const { begin, act, snapshot } = await world();
      const { taskId, task } = await begin();
      let asked = 0;
      const ask = async () => {
        const key = `q${(asked += 1)}`;
        const answer = task.suspend(key, { reasonCode: 'Q', allowedActions: ['yes'] }).then(
          () => 'answered',
          ({ code }: { code: string }) => code,
        );
        // Committed with the question before it, in the order of the turn.
        await task.message('asked').catch(() => undefined);
        const [open] = (await snapshot(taskId)).suspensions;
        if (open) await act(taskId, { clientActionId: key, suspendId: open.suspendId, actionType: 'yes' });
        return answer;
      };
      return async (amount) => {
        let last = '';
        while (asked < amount) last = await ask();
        return last;
      };
    },
  },
  openPartsMax: most(16, 'taken', 'TOO_MANY_OPEN_PARTS', async () => {
    const { begin } = await withParts();
    return async (amount) => {
      const { opens } = await begin();
      let last = '';
      for (let nth = 1; nth <= amount; nth += 1) last = await opens();
      return last;
    };
  }),
  partsMax: most(1000, 'taken', 'TOO_MANY_PARTS', async () => {
    const { opens, closes } = await (await withParts()).begin();
    let opened = 0;
    return async (amount) => {
      let last = '';
      for (; opened < amount; opened += 1) {
        last = await opens();
        if (last === 'taken') await closes({ bytes: 0 });
      }
      return last;
    };
  }),
  partBytesMax: most(4 * 1024 * 1024, 'taken', 'PAYLOAD_TOO_LARGE', async () => {
    const { begin } = await world();
    return async (amount) => {
      const out = (await begin()).task.stream('answer', { kind: 'text' });
      return outcome(Promise.resolve(out.write(text(amount))));
    };
  }),
  partTextBytesMax: most(32 * 1024, 'has its text', 'has none', async () => {
    const { begin, facts } = await world();
    return async (amount) => {
      const { taskId, task } = await begin();
      const out = task.stream('answer', { kind: 'text' });
      void out.write(text(amount));
      await out.end();
      const closing = (await facts(taskId)).findLast((fact) => isFact(fact, 'TASK_PART_CLOSED'));
      return closing?.payload.text === undefined ? 'has none' : 'has its text';
    };
  }),
  partAttributesBytesMax: most(1024, 'taken', 'REQUEST_VALIDATION_ERROR', async () => {
    const { begin } = await withParts();
    return async (amount) => (await begin()).opens({ a: text(amount - '{"a":""}'.length) });
  }),
  nestingMax: most(64, '201', INVALID, () => created((amount) => ({ input: nested(amount) }))),
  factBytesMax: most(1024 * 1024, 'taken', 'PAYLOAD_TOO_LARGE', async () => {
    const { begin, facts } = await world();
    return async (amount) => {
      const { taskId, task } = await begin();
      await task.message('');
      const [, empty] = await facts(taskId);
      return outcome(task.message(text(amount - Buffer.byteLength(JSON.stringify(empty)))));
    };
  }),
  bodyBytesMax: most(1024 * 1024, '201', '413 PAYLOAD_TOO_LARGE', async () => {
    const { call } = await world();
    return (amount) => {
      const body = JSON.stringify({ clientRequestId: fresh(), taskType: 'hold' });
      return call('POST', '', `${body}${' '.repeat(amount - body.length)}`);
    };
  }),
  pollEventsMax: most(500, '200', INVALID, () => polled('maxEvents')),
  partReadBytesMax: most(256 * 1024, '404 TASK_NOT_FOUND', INVALID, async () => {
    const { begin, call } = await world();
    const { taskId } = await begin();
    return (amount) => call('GET', `/${taskId}/parts/1?limit=${amount}`);
  }),
  pollWaitMsMax: most(60_000, '200', INVALID, () => polled('waitTimeoutMs')),
});

/** How many tasks of a label a page finds that only the oldest of so many has. */
async function listOfMany(): Promise<BoundaryRequest> {
  const { tasks, advance } = await caller();
  await tasks.start({ clientRequestId: fresh(), taskType: 'hold', labels: ['oldest'] });
  await advance(1);
  let there = 1;
  return async (amount) => {
    for (; there < amount; there += 1) await tasks.start({ clientRequestId: fresh(), taskType: 'hold' });
    const page = await tasks.list({ label: 'oldest' });
    return `${page.tasks.length}, ${page.nextAfter === null ? 'ends' : 'goes on'}`;
  };
}

/** Whether a page goes on to an older task behind five for which so many bytes were read. */
async function listOfLarge(): Promise<BoundaryRequest> {
  const { tasks, advance } = await caller();
  const start = async (label: string, bytes: number) => {
    const input = { x: text(bytes - JSON.stringify({ x: '' }).length) };
    const { taskId } = await tasks.start({ clientRequestId: fresh().padStart(9, 'r'), taskType: 'hold', labels: [label], input });
    await advance(1);
    const seen = await tasks.get(taskId);
    expect(seen).toMatchObject({ state: 'running', inputBytes: bytes });
    return JSON.stringify(seen).length + bytes;
  };
  const LARGE = 1000 * 1024;
  const rest = 64 * 1024;
  const overhead = (await start('a probe', rest)) - rest;
  return async (amount) => {
    const label = String(amount);
    let read = 0;
    await start(label, LARGE);
    for (let nth = 0; nth < 4; nth += 1) read += await start(label, LARGE);
    expect(await start(label, amount - read - overhead)).toBe(amount - read);
    const page = await tasks.list({ label });
    return { 5: 'ends', 6: 'goes on' }[page.tasks.length];
  };
}

/** The tasks of somebody whose work is held. */
async function caller() {
  const { bridge, advance, close } = await createTestBridge({
    executor: () => heldTasks().executor,
    tasks: { activePerOwnerMax: 600 },
    logger: { warn: () => undefined, error: () => undefined },
  });
  onTestFinished(close);
  return { tasks: bridge.tasks({ subject: 'alice' }), advance };
}

/** How a snapshot has what a task was created with. */
async function given(field: 'input' | 'metadata'): Promise<BoundaryRequest> {
  const { url, snapshot } = await world();
  return async (amount) => {
    const value = { x: text(amount - JSON.stringify({ x: '' }).length) };
    const body = JSON.stringify({ clientRequestId: fresh(), taskType: 'hold', [field]: value });
    const headers = { authorization: 'alice', 'content-type': 'application/json' };
    const { taskId } = (await (await fetch(`${url}/api/v1/tasks`, { method: 'POST', headers, body })).json()) as { taskId: string };
    const { input, inputBytes, metadata, metadataBytes } = await snapshot(taskId);
    const [seen, bytes] = field === 'input' ? [input, inputBytes] : [metadata, metadataBytes];
    if (seen === undefined) expect(bytes).toBe(amount);
    else expect([seen, bytes]).toEqual([value, undefined]);
    return seen === undefined ? 'its size' : 'shown';
  };
}

async function polled(field: string): Promise<BoundaryRequest> {
  const { begin, held, call, snapshot } = await world();
  const { taskId } = await begin();
  held.end(taskId);
  await vi.waitFor(async () => expect((await snapshot(taskId)).state).toBe('completed'));
  return (amount) => call('GET', `/${taskId}/events?${field}=${amount}`);
}

function nested(levels: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 1; level < levels; level += 1) value = { deeper: value };
  return value;
}
