import { describe, expect, it, onTestFinished } from 'vitest';
import { inProcess } from 'taskbridge/adapters/in-process';
import { createTestBridge, type TestBridgeOptions } from 'taskbridge/server/testing';
import { listen } from '../http/listen.ts';
import { tasks } from './tasks.ts';

async function host(options: TestBridgeOptions = {}) {
  const test = await createTestBridge({
    executor: (clock) => inProcess(tasks, { 'report.build': async () => ({ rows: 1 }), echo: async () => null }, { clock }),
    work: { untyped: {} },
    ...options,
  });
  const { url, close } = await listen(test.bridge.middleware({ prefix: '/api/v1' }));
  onTestFinished(async () => {
    await test.close();
    await close();
  });
  const types = async (token?: string) => {
    const response = await fetch(`${url}/api/v1/tasks/types`, { headers: token ? { authorization: `Bearer ${token}` } : {} });
    return { status: response.status, cache: response.headers.get('cache-control'), body: (await response.json()) as unknown };
  };
  return { ...test, types };
}

const reportBuild = {
  taskType: 'report.build',
  input: {
    type: 'object',
    properties: { month: { type: 'string', minLength: 1 }, rows: { type: 'number', default: 3 } },
    required: ['month'],
  },
  result: {
    type: 'object',
    properties: { rows: { type: 'number' }, kept: { type: 'string' } },
    required: ['rows'],
    additionalProperties: false,
  },
  questions: {
    duplicates: {
      reasonCode: 'duplicates',
      interaction: {
        type: 'object',
        properties: { samples: { type: 'array', items: { type: 'string' } } },
        required: ['samples'],
        additionalProperties: false,
      },
      actions: {
        'keep-first': { type: 'object', properties: {} },
        custom: { type: 'object', properties: { column: { type: 'string', minLength: 1 } }, required: ['column'] },
      },
    },
    sure: { reasonCode: 'ARE_YOU_SURE', actions: { yes: { type: 'object', properties: {} } } },
  },
  parts: { summary: 'text', rows: 'jsonl', totals: 'latest' },
};

describe('GET /tasks/types', () => {
  it('lists types with their schemas, those without a contract by their names', async () => {
    const { types } = await host();
    const answer = await types('ada');
    expect(answer).toEqual({
      status: 200,
      cache: 'no-store',
      body: { types: [{ taskType: 'echo' }, reportBuild, { taskType: 'untyped' }] },
    });
  });

  it('has those alone that the caller may create, and is for callers who are known', async () => {
    const { types, bridge } = await host({
      ownership: { refuseCreate: ({ subject }, { taskType }) => (subject === 'ada' || taskType === 'echo' ? undefined : 'Not for you.') },
    });
    expect((await types()).status).toBe(401);
    expect((await types('bob')).body).toEqual({ types: [{ taskType: 'echo' }] });
    expect((await bridge.tasks({ subject: 'ada' }).types()).types).toHaveLength(3);
    expect((await bridge.system.tasks('bob').types()).types).toHaveLength(3);
  });
});
