import type { CheckpointStore, TaskBridgeClient } from 'taskbridge/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { completed, fact, TASK } from '../support/scripted-server.ts';
import { until } from '../support/until.ts';
import { createHarness, numbers, type Harness } from './harness.ts';

let world: Harness;
let texts: Map<string, string>;
let checkpoints: CheckpointStore;
beforeEach(async () => {
  world = await createHarness();
  texts = new Map();
  checkpoints = {
    read: async (key) => texts.get(key),
    write: async (key, text) => void texts.set(key, text),
    remove: async (key) => void texts.delete(key),
  };
});
afterEach(() => world.close());

const question = { suspendId: 's', kind: 'USER_ACTION_REQUIRED', reasonCode: 'R', allowedActions: ['left'], schemaVersion: 1 };
const accepted = { suspendId: 's', clientActionId: 'c', actionType: 'left', acceptedAt: '2026-01-01T00:00:00Z' };
const asked = [fact(1), fact(2, 'TASK_SUSPENDED', question)];
const answered = [...asked, fact(3, 'TASK_ACTION_ACCEPTED', accepted), completed(4)];
const receipt = { taskId: TASK, suspendId: 's', clientActionId: 'c', status: 'ACCEPTED' };
const hiding = (): TaskBridgeClient => world.client({ checkpoints, hideAnswered: true });
const answer = (client: TaskBridgeClient): Promise<unknown> => client.act(TASK, { suspendId: 's', actionType: 'left' });
const keys = (): string[] => [...texts.keys()].filter((key) => key.endsWith('|suspend-ack'));

/** The answer is taken when `release` is called; the log goes on as soon as it is asked for. */
function serveSlowReceipts(): { release: () => void } {
  const { script } = world.server;
  const slow = { release: (): void => undefined };
  let finish = (): void => undefined;
  script.subscribed = ({ confirm, send }) => {
    confirm();
    send(...asked);
    finish = () => send(...answered.slice(2));
  };
  // Asked for with a body that is sent late: the whole of it is the script's to end.
  script.command = (_, __, request) => {
    finish();
    slow.release = () => {
      const { socket } = request;
      const body = JSON.stringify(receipt);
      socket.write(`HTTP/1.1 202 X\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    };
    return undefined;
  };
  return slow;
}

describe('what was answered here', () => {
  test('leaves no key in the store where the receipt comes after the end that it has led to', async () => {
    const slow = serveSlowReceipts();
    const client = hiding();
    const observation = client.observe(TASK);
    await until(observation, ({ task }) => task.openSuspensions.length === 1);
    const call = answer(client);
    await until(observation, ({ connection }) => connection.state === 'done');
    slow.release();
    await call;
    await client.close();
    expect(keys()).toEqual([]);
  });

  test('leaves no key that another client of the store wrote for a task that has ended by now', async () => {
    world.server.script.command = () => [202, receipt];
    let finish = (): void => undefined;
    world.server.script.subscribed = ({ confirm, send }) => {
      confirm();
      send(...asked);
      finish = () => send(...answered.slice(2));
    };
    const watching = hiding();
    const observation = watching.observe(TASK);
    await until(observation, ({ task }) => task.openSuspensions.length === 1);
    const acting = hiding();
    await answer(acting);
    await acting.close();
    expect(keys()).toHaveLength(1);
    finish();
    await until(observation, ({ connection }) => connection.state === 'done');
    await watching.close();
    expect(keys()).toEqual([]);
  });

  test('is known to the client after one that looked on and was closed before the end', async () => {
    const { script } = world.server;
    script.command = () => [202, receipt];
    script.subscribed = ({ confirm, send }) => (confirm(), send(...asked));
    const first = hiding();
    const observation = first.observe(TASK);
    await until(observation, ({ task }) => task.openSuspensions.length === 1);
    await answer(first);
    await first.close();
    expect(keys()).toHaveLength(1);
    script.subscribed = ({ confirm, send }) => (confirm(), send(...answered));
    expect(await numbers(hiding().observe(TASK, { lastEventId: '' }))).toEqual([1, 3, 4]);
  });

  test('leaves no key of a task that is not there any more', async () => {
    const { script } = world.server;
    script.command = () => [202, receipt];
    const client = hiding();
    await answer(client);
    script.upgrade = () => [404, { code: 'TASK_NOT_FOUND', message: 'no' }];
    await expect(numbers(client.observe(TASK))).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
    await client.close();
    expect(keys()).toEqual([]);
  });

  test('is hidden from an iterator however slow it is, and from the next one', async () => {
    const { script } = world.server;
    script.command = () => [202, receipt];
    let finish = (): void => undefined;
    script.subscribed = ({ confirm, send }) => {
      confirm();
      send(...asked);
      finish = () => send(...answered.slice(2));
    };
    const client = hiding();
    const observation = client.observe(TASK);
    const slow = observation[Symbol.asyncIterator]();
    await until(observation, ({ task }) => task.openSuspensions.length === 1);
    await answer(client);
    finish();
    await until(observation, ({ connection }) => connection.state === 'done');
    const taken: string[] = [];
    for await (const { type } of { [Symbol.asyncIterator]: () => slow }) taken.push(type);
    expect(taken).toEqual(['TASK_PROGRESS', 'TASK_ACTION_ACCEPTED', 'TASK_COMPLETED']);
    script.subscribed = ({ confirm, send }) => (confirm(), send(...answered));
    expect(await numbers(client.observe(TASK))).toEqual([1, 3, 4]);
  });

  test.each(['at once', 'one by one'])('is not what somebody else has answered, whether the log comes %s', async (how) => {
    world.server.script.subscribed = ({ confirm, send }) => {
      confirm();
      if (how === 'at once') return send(...answered);
      const rest = [...answered];
      const next = (): void => {
        const one = rest.shift();
        if (!one) return;
        send(one);
        setImmediate(next);
      };
      next();
    };
    expect(await numbers(hiding().observe(TASK))).toEqual([1, 2, 3, 4]);
  });

  test('may be asked again after the history was replaced', async () => {
    const { script } = world.server;
    script.command = () => [202, receipt];
    script.subscribed = ({ confirm, send }) => {
      confirm(['gap']);
      send({ type: 'GAP', taskId: TASK, reason: 'reset', firstEventId: '1-1000' }, ...answered);
    };
    const client = hiding();
    await answer(client);
    expect(await numbers(client.observe(TASK, { lastEventId: '9-1000' }))).toEqual([1, 2, 3, 4]);
    await client.close();
    expect(keys()).toEqual([]);
  });
});
