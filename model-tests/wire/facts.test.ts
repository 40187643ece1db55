import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { factSchema, factTypes, isFactType, isTerminalType, payloads, type FactType } from '../../machines/wire/index.ts';

interface PayloadTable {
  readonly accepted: readonly unknown[];
  readonly refused: readonly unknown[];
}

const question = { suspendId: 's', kind: 'USER_ACTION_REQUIRED', reasonCode: 'R', allowedActions: ['a'], schemaVersion: 1 };
const acceptance = { suspendId: 's', clientActionId: 'c', actionType: 'a', acceptedAt: '2026-01-01T00:00:00.123456Z' };

const KIB = 1024;
const MIB = 1024 * KIB;
/** Attributes of so many bytes as JSON, and of fewer characters. */
const attributesOf = (bytes: number): object => ({ ä: 'x'.repeat(bytes - Buffer.byteLength('{"ä":""}')) });

const tables: { readonly [T in FactType]: PayloadTable } = {
  TASK_STARTED: { accepted: [{}, { message: 'Begun.' }], refused: [{ message: 7 }, { extra: 1 }, null, []] },
  TASK_PROGRESS: {
    accepted: [{ progress: 0 }, { progress: 100 }, { progress: 33.3, stage: 's', message: 'm' }],
    refused: [
      {},
      { progress: -0.1 },
      { progress: 100.1 },
      { progress: '50' },
      { progress: NaN },
      { progress: 5, stage: 's'.repeat(257) },
      { progress: 5, percent: 5 },
    ],
  },
  TASK_MESSAGE: {
    accepted: [{ message: '' }, { message: 'm', level: 'info' }, { message: 'm', level: 'warning' }, { message: 'm', level: 'debug' }],
    refused: [{}, { message: 'm', level: 'error' }, { message: 'a\udfffb' }],
  },
  TASK_PART_OPENED: {
    accepted: [
      ...['text', 'reasoning', 'tool-input', 'jsonl', 'latest'].map((kind) => ({ name: 'answer', kind })),
      { name: 'n'.repeat(256), kind: 'text', attributes: {} },
      { name: 'n', kind: 'text', attributes: { model: 'small', tokens: 7.5, isCached: false, parent: null } },
      { name: 'n', kind: 'text', attributes: attributesOf(1024) },
      { name: 'n', kind: 'text', attributes: JSON.parse('{"__proto__":"p"}') as unknown },
    ],
    refused: [
      {},
      { name: 'n' },
      { kind: 'text' },
      { name: ' ', kind: 'text' },
      { name: 'n'.repeat(257), kind: 'text' },
      { name: 'n', kind: 'image' },
      { name: 'n', kind: 'text', attributes: attributesOf(1025) },
      { name: 'n', kind: 'text', attributes: { deep: {} } },
      { name: 'n', kind: 'text', attributes: { list: [] } },
      { name: 'n', kind: 'text', attributes: { tokens: NaN } },
      { name: 'n', kind: 'text', attributes: { half: '\ud800' } },
      { name: 'n', kind: 'text', attributes: [] },
      { name: 'n', kind: 'text', attributes: null },
      { name: 'n', kind: 'text', text: '' },
    ],
  },
  TASK_PART_CLOSED: {
    accepted: [
      { part: 1, bytes: 0, outcome: 'DONE' },
      { part: 1, bytes: 0, outcome: 'DONE', text: '' },
      { part: Number.MAX_SAFE_INTEGER, bytes: 4 * MIB, outcome: 'ABANDONED' },
    ],
    refused: [
      {},
      { part: 0, bytes: 0, outcome: 'DONE' },
      { part: 1.5, bytes: 0, outcome: 'DONE' },
      { part: '1', bytes: 0, outcome: 'DONE' },
      { part: 2 ** 53, bytes: 0, outcome: 'DONE' },
      { part: 1, bytes: -1, outcome: 'DONE' },
      { part: 1, bytes: 0.5, outcome: 'DONE' },
      { part: 1, bytes: 4 * MIB + 1, outcome: 'DONE' },
      { part: 1, outcome: 'DONE' },
      { part: 1, bytes: 0, outcome: 'FAILED' },
      { part: 1, bytes: 0 },
      { part: 1, bytes: 3, outcome: 'DONE', text: 'four' },
      { part: 1, bytes: 5, outcome: 'DONE', text: 'four' },
      { part: 1, bytes: 3, outcome: 'DONE', text: '\ud800' },
      { part: 1, bytes: 0, outcome: 'DONE', name: 'answer' },
    ],
  },
  TASK_SUSPENDED: {
    accepted: [
      question,
      { ...question, kind: 'EXTERNAL_CONFIRMATION_PENDING' },
      { ...question, kind: 'SYSTEM_PAUSED', expiresAt: '2026-01-01T00:00:00Z', uiHints: {}, interaction: { rows: [1] } },
    ],
    refused: [
      { ...question, kind: 'OTHER' },
      { ...question, allowedActions: [] },
      { ...question, allowedActions: [' '] },
      { ...question, schemaVersion: 0 },
      { ...question, schemaVersion: 1.5 },
      { ...question, expiresAt: '2026-01-01T00:00:00+02:00' },
      { ...question, expiresAt: 'tomorrow' },
      { ...question, uiHints: [] },
      { ...question, status: 'OPEN' },
    ],
  },
  TASK_ACTION_ACCEPTED: {
    accepted: [acceptance, { ...acceptance, message: 'm' }],
    refused: [
      { ...acceptance, acceptedAt: undefined },
      { ...acceptance, acceptedAt: '2026-01-01' },
      { ...acceptance, payload: {} },
    ],
  },
  TASK_SUSPENSION_CLOSED: {
    accepted: [
      { suspendId: 's', outcome: 'EXPIRED' },
      { suspendId: 's', outcome: 'CANCELLED' },
    ],
    refused: [{ suspendId: 's', outcome: 'RESOLVED' }, { outcome: 'EXPIRED' }],
  },
  TASK_CANCEL_REQUESTED: { accepted: [{}, { reason: 'r' }], refused: [{ reason: null }, { by: 'me' }] },
  TASK_COMPLETED: {
    accepted: [{ result: null }, { result: 0 }, { result: [] }, { result: { a: 1 }, more: true }],
    refused: [{}, { result: undefined }, { result: Infinity }, { result: { text: '\ud800' } }],
  },
  TASK_FAILED: {
    accepted: [{ code: 'C', message: 'm', retryable: false }],
    refused: [
      { code: 'C', message: 'm' },
      { code: '', message: 'm', retryable: true },
      { code: 'C', message: 'm'.repeat(1025), retryable: true },
    ],
  },
  TASK_CANCELLED: { accepted: [{ reason: 'r' }, { reason: 'r', message: 'm' }], refused: [{}, { reason: null }] },
};

const rows = factTypes.flatMap((type) => [
  ...tables[type].accepted.map((payload) => [type, true, payload] as const),
  ...tables[type].refused.map((payload) => [type, false, payload] as const),
]);

describe('the facts of the wire', () => {
  test.each(rows)('%s with a payload that keeps its schema (%j): %j', (type, isSound, payload) => {
    expect(payloads[type].safeParse(payload).success).toBe(isSound);
  });

  test.each([
    ['x', 32 * KIB, true],
    ['ä', 16 * KIB, true],
    ['x', 32 * KIB + 1, false],
    ['ä', 16 * KIB + 1, false],
  ])('TASK_PART_CLOSED with %s, %i times: %j', (character, times, isSound) => {
    const text = character.repeat(times);
    const payload = { part: 1, bytes: Buffer.byteLength(text), outcome: 'DONE', text };
    expect(payloads.TASK_PART_CLOSED.safeParse(payload).success).toBe(isSound);
  });

  test.each(factTypes)('%s travels in exactly five fields', (type) => {
    const fact = { type, taskId: 't', eventId: '3-1', createdAt: '2026-01-01T00:00:00Z', payload: tables[type].accepted[0] };
    const schema = factSchema(type);
    expect(schema.safeParse(fact).success).toBe(true);
    expect(schema.safeParse({ ...fact, version: 1 }).success).toBe(false);
    for (const field of Object.keys(fact)) expect(schema.safeParse({ ...fact, [field]: undefined }).success).toBe(false);
  });

  test('of which three end a log', () => {
    expect(factTypes.filter(isTerminalType)).toEqual(['TASK_COMPLETED', 'TASK_FAILED', 'TASK_CANCELLED']);
    expect(['TASK_RENAMED', 'toString', '__proto__', 'HEARTBEAT'].filter(isFactType)).toEqual([]);
  });

  test('have a row each in the table of the protocol, in their order, with the ends last', () => {
    const protocol = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
    const documented = [...protocol.matchAll(/^\| `(TASK_\w+)` \|/gm)];
    expect(
      documented.map(([, type]) => type),
      'The table "Facts" of docs/protocol.md has other rows than `factScope`.',
    ).toEqual(factTypes);
    expect(factTypes.slice(-3).every(isTerminalType)).toBe(true);
  });

  test('have a JSON Schema each, which names every field that the code requires', () => {
    const folder = new URL('../../docs/schemas/', import.meta.url);
    const written = readdirSync(folder);
    const missing = factTypes.map(schemaFile).filter((file) => !written.includes(file));
    expect(missing, 'Run `npm run schemas`, and commit what it writes.').toEqual([]);
    for (const type of factTypes) {
      const text = readFileSync(new URL(schemaFile(type), folder), 'utf8');
      expect(JSON.parse(text)).toMatchObject({ properties: { type: { const: type } }, additionalProperties: false });
    }
  });
});

function schemaFile(type: FactType): string {
  return `${type.toLowerCase().replaceAll('_', '-')}.json`;
}
