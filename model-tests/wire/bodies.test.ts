import { describe, expect, test } from 'vitest';
import {
  cancelTaskRequest,
  createTaskRequest,
  limits,
  pollQuery,
  streamQuery,
  submitActionRequest,
  subscribeFrame,
  type JsonObject,
} from '../../machines/wire/index.ts';

const create = { clientRequestId: 'r1', taskType: 'report.build' };
const action = { clientActionId: 'c1', suspendId: 's1', actionType: 'keep-first' };
const subscribe = { action: 'subscribe', taskId: 't' };
const longId = 'x'.repeat(limits.textIdCharactersMax);
const LONE_SURROGATE = 'a\ud800b';

function nested(levels: number): JsonObject {
  let value: JsonObject = {};
  for (let level = 1; level < levels; level += 1) value = { deeper: value };
  return value;
}

const schemas = { createTaskRequest, submitActionRequest, cancelTaskRequest, subscribeFrame, pollQuery, streamQuery };
type SchemaName = keyof typeof schemas;

function accepts(name: SchemaName, value: unknown): boolean {
  return schemas[name].safeParse(value).success;
}

const accepted: readonly (readonly [SchemaName, unknown])[] = [
  ['createTaskRequest', create],
  ['createTaskRequest', { ...create, input: {}, metadata: {} }],
  ['createTaskRequest', { ...create, input: { rows: [1, 2.5, null, true, 'ü', { deep: [] }] } }],
  ['createTaskRequest', { ...create, input: { ['__proto__x']: 1, constructor: 2, toString: 'x' } }],
  ['createTaskRequest', { clientRequestId: longId, taskType: longId }],
  ['createTaskRequest', { ...create, title: 'July', labels: ['ward 7', 'ü'] }],
  ['createTaskRequest', { ...create, labels: [] }],
  ['createTaskRequest', { ...create, input: nested(limits.nestingMax) }],
  ['submitActionRequest', action],
  ['submitActionRequest', { ...action, payload: { note: 'ok' }, metadata: { app: '1' } }],
  ['cancelTaskRequest', {}],
  ['cancelTaskRequest', { reason: null }],
  ['cancelTaskRequest', { reason: 'n'.repeat(limits.noteCharactersMax) }],
  ['subscribeFrame', subscribe],
  ['subscribeFrame', { ...subscribe, lastEventId: null }],
  ['subscribeFrame', { ...subscribe, lastEventId: '' }],
  ['subscribeFrame', { ...subscribe, lastEventId: '0-0' }],
  ['subscribeFrame', { ...subscribe, lastEventId: '12-1790000000000' }],
  ['pollQuery', {}],
  ['pollQuery', { afterEventId: '', waitTimeoutMs: '0', maxEvents: '1', tenant: 'ignored' }],
  ['pollQuery', { afterEventId: '3-1', waitTimeoutMs: '60000', maxEvents: '500' }],
  ['streamQuery', {}],
  ['streamQuery', { lastEventId: '3-1', extensions: 'gap,multiplex', tenant: 'ignored' }],
];

const refused: readonly (readonly [SchemaName, unknown])[] = [
  ...['createTaskRequest', 'submitActionRequest', 'cancelTaskRequest', 'subscribeFrame'].flatMap((name) =>
    [null, [], 'text', 7, true].map((value) => [name as SchemaName, value] as const),
  ),
  ['createTaskRequest', {}],
  ['createTaskRequest', { taskType: 'x' }],
  ['createTaskRequest', { ...create, clientRequestId: '' }],
  ['createTaskRequest', { ...create, clientRequestId: ' \t' }],
  ['createTaskRequest', { ...create, clientRequestId: `${longId}x` }],
  ['createTaskRequest', { ...create, clientRequestId: 7 }],
  ['createTaskRequest', { ...create, taskType: LONE_SURROGATE }],
  ['createTaskRequest', { ...create, input: null }],
  ['createTaskRequest', { ...create, input: [] }],
  ['createTaskRequest', { ...create, input: 'text' }],
  ['createTaskRequest', { ...create, metadata: null }],
  ['createTaskRequest', { ...create, input: { text: LONE_SURROGATE } }],
  ['createTaskRequest', { ...create, input: { [LONE_SURROGATE]: 1 } }],
  ['createTaskRequest', { ...create, input: nested(limits.nestingMax + 1) }],
  ['createTaskRequest', { ...create, title: ' ' }],
  ['createTaskRequest', { ...create, title: null }],
  ['createTaskRequest', { ...create, title: LONE_SURROGATE }],
  ['createTaskRequest', { ...create, labels: 'July' }],
  ['createTaskRequest', { ...create, labels: ['a', 'b', 'a'] }],
  ['createTaskRequest', { ...create, labels: [''] }],
  ['createTaskRequest', { ...create, labels: [7] }],
  ['createTaskRequest', { ...create, labels: [LONE_SURROGATE] }],
  ['createTaskRequest', { ...create, owner: 'me' }],
  ['createTaskRequest', JSON.parse(`{"clientRequestId":"r","taskType":"x","__proto__":{"input":{}}}`)],
  ['createTaskRequest', { ...create, constructor: 1 }],
  ['submitActionRequest', { ...action, suspendId: undefined }],
  ['submitActionRequest', { ...action, payload: null }],
  ['submitActionRequest', { ...action, payload: [] }],
  ['submitActionRequest', { ...action, extra: 1 }],
  ['cancelTaskRequest', { reason: 7 }],
  ['cancelTaskRequest', { reason: 'n'.repeat(limits.noteCharactersMax + 1) }],
  ['cancelTaskRequest', { why: 'x' }],
  ['subscribeFrame', { taskId: 't' }],
  ['subscribeFrame', { ...subscribe, action: 'unsubscribe' }],
  ['subscribeFrame', { ...subscribe, taskId: 7 }],
  ['subscribeFrame', { ...subscribe, lastEventId: '$' }],
  ['subscribeFrame', { ...subscribe, lastEventId: 3 }],
  ['subscribeFrame', { ...subscribe, tenant: 'x' }],
  ['pollQuery', { afterEventId: '$' }],
  ['pollQuery', { waitTimeoutMs: '60001' }],
  ['pollQuery', { waitTimeoutMs: '-1' }],
  ['pollQuery', { waitTimeoutMs: '1.5' }],
  ['pollQuery', { waitTimeoutMs: '1e3' }],
  ['pollQuery', { waitTimeoutMs: '' }],
  ['pollQuery', { maxEvents: '0' }],
  ['pollQuery', { maxEvents: '501' }],
  ['pollQuery', { maxEvents: ' 5' }],
  ['streamQuery', { lastEventId: '+' }],
];

describe('the bodies of requests', () => {
  test.each(accepted)('%s takes %j', (name, value) => expect(accepts(name, value)).toBe(true));

  test.each(refused)('%s refuses %j', (name, value) => expect(accepts(name, value)).toBe(false));

  test('of a poll default to no wait and 100 events', () => {
    expect(pollQuery.parse({})).toEqual({ waitTimeoutMs: 0, maxEvents: 100 });
  });

  test('nested far beyond the limit are refused without exhausting the stack', () => {
    const text = `${'{"a":'.repeat(5000)}{}${'}'.repeat(5000)}`;
    expect(accepts('createTaskRequest', { ...create, input: JSON.parse(text) as unknown })).toBe(false);
  });
});
