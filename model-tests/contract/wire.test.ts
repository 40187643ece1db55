import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { inProcess } from 'taskbridge/adapters/in-process';
import { createMemory, memoryStore } from 'taskbridge/adapters/memory';
import { createTaskBridge, type StartOutcome, type TaskExecutor, type Work } from 'taskbridge/server';
import { createTaskReporter } from 'taskbridge/server/reporter';
import { createTestBridge } from 'taskbridge/server/testing';
import { listen } from '../http/listen.ts';
import { tasks } from './tasks.ts';

describe('a contract over HTTP', () => {
  it('refuses an input with 422 and an answer with 400, each with its paths', async () => {
    const test = await createTestBridge({
      executor: (clock) =>
        inProcess(
          tasks,
          {
            echo: async () => null,
            'report.build': async (work) => ({
              rows: (await work.suspend('duplicates', { interaction: { samples: [] } })).actionType.length,
            }),
          },
          { clock },
        ),
      logger: { warn: () => undefined, error: () => undefined },
    });
    const { url, close } = await listen(test.bridge.middleware({ prefix: '/api/v1' }));
    onTestFinished(async () => {
      await test.close();
      await close();
    });
    const post = async (path: string, body: object) => {
      const headers = { authorization: 'Bearer ada', 'content-type': 'application/json' };
      const response = await fetch(`${url}/api/v1/tasks${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const task = { clientRequestId: 'r', taskType: 'report.build' };
    expect(await post('', { ...task, input: { month: 5 } })).toMatchObject({
      status: 422,
      body: { code: 'REQUEST_VALIDATION_ERROR', details: { errors: [{ path: 'input.month' }] } },
    });
    const created = await post('', { ...task, input: { month: 'May' } });
    expect(created.status).toBe(201);
    const taskId = String(created.body['taskId']);
    await test.advance(0);
    const suspendId = (await test.bridge.system.tasks('ada').get(taskId)).suspensions[0]?.suspendId;
    const action = { clientActionId: 'a', suspendId, actionType: 'custom' };
    expect(await post(`/${taskId}/actions`, { ...action, payload: { column: 1 } })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_REQUEST', details: { errors: [{ path: 'payload.column' }] } },
    });
    expect((await post(`/${taskId}/actions`, { ...action, payload: { column: 'a' } })).status).toBe(202);
    expect(await test.ended('ada', taskId)).toMatchObject({ result: { rows: 6 } });
  });
});

describe('work elsewhere', () => {
  it('is held to the contract by its reporter, which writes nothing that does not fit', async () => {
    const memory = createMemory();
    const store = memoryStore({ memory });
    const begun: Work[] = [];
    const outside: TaskExecutor = {
      name: 'outside',
      leased: false,
      handles: (taskType) => taskType === 'report.build',
      repeatable: () => false,
      async start(work): Promise<StartOutcome> {
        begun.push(work);
        return { status: 'started' };
      },
      resume: async () => undefined,
      cancel: async () => undefined,
      inspect: async () => ({ status: 'running' }),
    };
    const bridge = createTaskBridge({ store, executor: outside, contract: tasks, auth: () => undefined });
    await bridge.start();
    const workers = memoryStore({ memory });
    await workers.open();
    const reporter = createTaskReporter({ store: workers, contract: tasks });
    onTestFinished(async () => {
      await bridge.close();
      await workers.close();
    });
    const ada = bridge.system.tasks('ada');
    await expect(ada.start({ clientRequestId: 'r', taskType: 'report.build' })).rejects.toMatchObject({ code: 'REQUEST_VALIDATION_ERROR' });
    const { taskId } = await ada.start({ clientRequestId: 'r', taskType: 'report.build', input: { month: 'May' } });
    await vi.waitFor(() => expect(begun).toHaveLength(1));
    expect(begun[0]?.input).toEqual({ month: 'May', rows: 3 });
    const attempt = { taskId, attempt: begun[0]?.attempt ?? 0 };
    let seq = 0;
    const ask = (interaction: object) => {
      const payload = {
        suspendId: 'q',
        kind: 'USER_ACTION_REQUIRED' as const,
        reasonCode: 'duplicates',
        allowedActions: ['custom'],
        schemaVersion: 1,
      };
      return reporter.report(attempt, {
        source: 'main',
        seq: (seq += 1),
        intents: [{ type: 'report.suspended', payload: { ...payload, interaction: interaction as never } }],
      });
    };
    const complete = (result: object) =>
      reporter.report(attempt, {
        source: 'main',
        seq: (seq += 1),
        intents: [{ type: 'report.completed', payload: { result: result as never } }],
      });
    await expect(ask({ samples: 1 })).rejects.toThrow('The question was not written: interaction.samples');
    await expect(ask({ samples: [], $actions: {} })).rejects.toThrow('interaction.$actions is reserved');
    expect(await ask({ samples: ['a'] })).toMatchObject({ status: 'committed' });
    expect((await ada.get(taskId)).suspensions).toMatchObject([
      { interaction: { samples: ['a'], $actions: { custom: { type: 'object' } } } },
    ]);
    await expect(complete({ rows: 'many' })).rejects.toMatchObject({
      code: 'REQUEST_VALIDATION_ERROR',
      message: 'The result was not written: result.rows Invalid input: expected number, received string.',
    });
    expect((await ada.get(taskId)).state).toBe('suspended');
    expect(await complete({ rows: 2, more: true })).toMatchObject({ status: 'committed' });
    expect(await ada.get(taskId)).toMatchObject({ status: 'COMPLETED', result: { rows: 2 } });
  });
});
