import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { actionSchemas } from '../../server/access/index.ts';
import type { AuthContextResolver, TaskBridgeOptions } from '../../server/index.ts';
import { securedHost } from './auth-host.ts';

const auth: AuthContextResolver = () => ({ subject: 'ada' });

/** Where an action of a user interface comes from, as A2UI has it. */
const a2uiMetadata = z.strictObject({
  version: z.literal(['v0.8', 'v0.9']),
  surfaceId: z.string().min(1),
  sourceComponentId: z.string().min(1),
  name: z.string().min(1),
});
const actions = actionSchemas({ a2ui_action: { metadata: a2uiMetadata, payload: z.looseObject({ rating: z.int().min(1).max(5) }) } });
const metadata = { version: 'v0.9', surfaceId: 'feedback', sourceComponentId: 'send', name: 'submit' };
const payload = { rating: 4 };

async function stage(options: Partial<TaskBridgeOptions> = { actions }) {
  const host = await securedHost({ auth, ...options });
  const taskId = await host.create('ada');
  const suspendId = await host.question(taskId);
  let sent = 0;
  const act = (action: object, clientActionId = `a-${++sent}`) =>
    host.call('ada', 'POST', `/${taskId}/actions`, { clientActionId, suspendId, actionType: 'a2ui_action', ...action });
  const snapshot = async () => (await host.call('ada', 'GET', `/${taskId}`)).body;
  return { act, snapshot, before: await snapshot() };
}

describe('an action of a user interface', () => {
  test('is taken where its metadata and its payload fit their schemas', async () => {
    const { act } = await stage();
    expect(await act({ metadata, payload })).toMatchObject({ status: 202, body: { status: 'ACCEPTED' } });
  });

  const needsMetadata = 'An action of type a2ui_action needs metadata that says where it comes from.';
  test.each<[string, object, string]>([
    ['without metadata', { payload }, needsMetadata],
    ['with empty metadata', { metadata: {}, payload }, needsMetadata],
    ['of another version', { metadata: { ...metadata, version: 'v1' }, payload }, 'metadata.version: '],
    ['that names no surface', { metadata: { ...metadata, surfaceId: '' }, payload }, 'metadata.surfaceId: '],
    ['that names no component', { metadata: { ...metadata, sourceComponentId: undefined }, payload }, 'metadata.sourceComponentId: '],
    ['with what nobody knows', { metadata: { ...metadata, html: '<b>' }, payload }, 'metadata: '],
    ['whose payload does not fit', { metadata, payload: { rating: 6 } }, 'payload.rating: '],
    ['without a payload', { metadata }, 'payload.rating: '],
  ])('is a 400 that names the fault, and nothing is written: %s', async (_name, action, message) => {
    const { act, snapshot, before } = await stage();
    const refused = await act(action, 'a');
    expect(refused).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
    expect(refused.message).toContain(message);
    expect(await snapshot()).toEqual(before);
    // The id was not used up: with what was missing, the same action is taken.
    expect(await act({ metadata, payload }, 'a')).toMatchObject({ status: 202, body: { status: 'ACCEPTED' } });
  });

  test('is not taken where a host has no policy to check it', async () => {
    const { act, snapshot, before } = await stage({});
    expect(await act({ metadata, payload })).toMatchObject({
      status: 400,
      code: 'INVALID_REQUEST',
      message: 'This server takes no action of type a2ui_action: it has no policy to check one.',
    });
    expect(await snapshot()).toEqual(before);
  });

  test('that was taken is a repeat when it comes again, whatever the schemas say by then', async () => {
    let strict = false;
    const changing = { refuseAction: () => (strict ? 'Not any more.' : undefined) };
    const { act } = await stage({ actions: changing });
    expect((await act({ metadata }, 'a')).status).toBe(202);
    strict = true;
    expect(await act({ metadata }, 'a')).toMatchObject({ status: 200, body: { status: 'DEDUPLICATED' } });
  });

  test('is nothing that other types of action are held to', async () => {
    const { act } = await stage();
    expect(await act({ actionType: 'yes' })).toMatchObject({ status: 202 });
  });
});

describe('schemas', () => {
  const refusalOf = (schema: Parameters<typeof actionSchemas>[0][string], action: { payload?: object; metadata?: object } = {}) =>
    actionSchemas({ t: schema }).refuseAction(
      { subject: 'ada' },
      {} as never,
      {
        suspendId: 's',
        actionType: 't',
        payload: {},
        metadata: {},
        ...action,
      } as never,
    );
  const standard = (issues: readonly object[]) => ({ '~standard': { validate: async () => ({ issues }) } }) as never;

  test('may be of any library that follows the standard, and may take their time', async () => {
    const issues = [{ message: 'is not a date', path: [{ key: 'due' }, 0] }, { message: 'is wrong' }];
    expect(await refusalOf({ payload: standard(issues) })).toBe(
      'The action of type "t" was not taken: payload.due.0: is not a date; payload: is wrong.',
    );
    expect(await refusalOf({ payload: standard([]), metadata: { '~standard': { validate: () => ({}) } } })).toBeUndefined();
  });

  test('name five faults at most, by paths of 256 characters at most', async () => {
    const faults = (count: number) => Array.from({ length: count }, (_, at) => ({ message: `${at}.`, path: ['x'.repeat(300)] }));
    const five = await refusalOf({ metadata: standard(faults(5)) });
    expect(five?.match(/x+/g)?.map(({ length }) => length)).toEqual(Array.from({ length: 5 }, () => 256 - 'metadata.'.length));
    expect(five).not.toContain('more');
    expect(await refusalOf({ metadata: standard(faults(6)) })).toMatch(/4\., and 1 more\.$/);
  });

  test('list 40 000 unknown keys in a short answer', async () => {
    const keys = Object.fromEntries(Array.from({ length: 40_000 }, (_, at) => [`key${at}`, 1]));
    const refusal = await refusalOf({ payload: z.strictObject({}) as never }, { payload: keys });
    expect(refusal).toContain('payload: ');
    expect(refusal?.length).toBeLessThan(400);
  });

  test('may find any number of faults', async () => {
    const fault = { message: 'is wrong' };
    expect(await refusalOf({ payload: standard(Array.from({ length: 300_000 }, () => fault)) })).toMatch(/, and 299995 more\.$/);
  });

  test.each([undefined, null, true])('that give no result let nothing through: %s', async (result) => {
    // One of a host without TypeScript, which forgets to return.
    const forgetful = { '~standard': { validate: () => result } } as never;
    await expect(refusalOf({ payload: forgetful })).rejects.toThrow(TypeError);
    const { act, snapshot, before } = await stage({ actions: actionSchemas({ a2ui_action: { payload: forgetful } }) });
    expect(await act({ metadata, payload })).toMatchObject({ status: 500, code: 'INTERNAL_ERROR' });
    expect(await snapshot()).toEqual(before);
  });

  test('that are none are refused at once', () => {
    expect(() => actionSchemas({ t: { payload: {} as never } })).toThrow('The payload of t is no Standard Schema');
  });

  test('are not looked for among what every object has', async () => {
    const policy = actionSchemas({});
    expect(
      await policy.refuseAction({ subject: 'ada' }, {} as never, { actionType: 'constructor', payload: {}, metadata: {} } as never),
    ).toBeUndefined();
  });
});
