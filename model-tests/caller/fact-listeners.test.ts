import { describe, expect, it, vi } from 'vitest';
import { memoryStore } from 'taskbridge/adapters/memory';
import { inProcess } from 'taskbridge/adapters/in-process';
import { ownBridge } from './own-bridge.ts';

const ann = { subject: 'ann' };

describe('a listener of facts', () => {
  it('is told of each commit of this node once and in order, with the task', async () => {
    const { bridge } = await ownBridge();
    const told: string[] = [];
    const ends: string[] = [];
    bridge.onFact(({ type }, { owner, taskType }) => void told.push(`${owner} ${taskType} ${type}`));
    bridge.onEnd(({ type, payload }) => void ends.push(`${type} ${JSON.stringify(payload)}`));
    await bridge.tasks(ann).start({ clientRequestId: 'r', taskType: 'count' });
    await vi.waitFor(() => expect(ends).toEqual(['TASK_COMPLETED {"result":{"names":[],"rows":null}}']));
    expect(told).toEqual(['ann count TASK_STARTED', 'ann count TASK_COMPLETED']);
  });

  it('that throws, rejects or was stopped harms nobody, and is reported', async () => {
    const { bridge, logged } = await ownBridge();
    const told: string[] = [];
    bridge.onFact(() => {
      throw new Error('a fault of the host');
    });
    bridge.onEnd(() => Promise.reject(new Error('another')));
    const stop = bridge.onFact(() => void told.push('stopped'));
    stop();
    bridge.onFact(({ type }) => void told.push(type));
    const { taskId } = await bridge.tasks(ann).start({ clientRequestId: 'r', taskType: 'count' });
    await vi.waitFor(() => expect(told).toEqual(['TASK_STARTED', 'TASK_COMPLETED']));
    expect(await bridge.tasks(ann).get(taskId)).toMatchObject({ status: 'COMPLETED' });
    // One line a minute for one kind of fault.
    expect(logged).toContain('A listener of facts failed; it is told of the next one.');
  });

  it('is told of the next fact when it is done with one; what there is no room for is not told to it, and counted', async () => {
    const lines: unknown[] = [];
    const { bridge, start } = await ownBridge({
      logger: { warn: (message, fields) => void lines.push([message, fields?.['dropped']]), error: () => undefined },
    });
    const { report, finish } = await start();
    await report(1);
    const told: string[] = [];
    let goOn = (): void => undefined;
    const rested = new Promise<void>((resolve) => (goOn = resolve));
    bridge.onFact(async ({ payload }) => {
      told.push(JSON.stringify(payload));
      await rested;
    });
    let ended = 0;
    bridge.onEnd(() => void (ended += 1));
    await report(1_005);
    await finish();
    await vi.waitFor(() => expect(ended).toBe(1));
    expect(told).toHaveLength(1);
    goOn();
    await vi.waitFor(() => expect(told).toHaveLength(1_001));
    // The first is with it, a thousand wait, four messages and the end do not.
    expect(lines).toEqual([
      ['A listener of facts does not keep up: it is not told of those that come now.', undefined],
      ['A listener of facts keeps up again. It was not told of some; the logs of their tasks have them.', 5],
    ]);
  });

  it('hears nothing of what another node commits', async () => {
    const store = memoryStore();
    const one = await ownBridge({ store });
    const other = await ownBridge({ store, executor: inProcess({ elsewhere: async () => 'done' }) });
    const told: string[] = [];
    one.bridge.onFact(({ type }) => void told.push(type));
    let ended = 0;
    other.bridge.onEnd(() => void (ended += 1));
    await other.bridge.tasks(ann).start({ clientRequestId: 'r', taskType: 'elsewhere' });
    await vi.waitFor(() => expect(ended).toBe(1));
    expect(told).toEqual([]);
  });

  it('is one of 64', async () => {
    const { bridge } = await ownBridge();
    const stops = Array.from({ length: 64 }, (_, nth) => (nth % 2 ? bridge.onFact(() => undefined) : bridge.onEnd(() => undefined)));
    expect(() => bridge.onFact(() => undefined)).toThrow('at most 64 listeners');
    stops[0]?.();
    bridge.onFact(() => undefined);
  });
});
