import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { file, form, FORM_TYPE, ids, text, type FormPart } from './form.ts';
import { startHost, type Host } from './host.ts';

describe('title and labels of a multipart create', () => {
  let host: Host;
  beforeEach(async () => void (host = await startHost()));
  afterEach(() => host.close());

  const post = async (...parts: readonly FormPart[]) => {
    const headers = { authorization: 'Bearer ada', 'content-type': FORM_TYPE };
    const body = form([...ids, file('x'), ...parts]) as BodyInit;
    const response = await fetch(`${host.url}/api/v1/tasks`, { method: 'POST', headers, body });
    const { code, message, details } = (await response.json()) as { code?: string; message?: string; details?: { errors?: object[] } };
    return [response.status, code, details?.errors?.[0] ?? message];
  };

  it('are a text, and a list of texts as JSON', async () => {
    expect(await post(text('title', 'Jüly'), text('labels', '["a","b"]'))).toEqual([201, undefined, undefined]);
    expect(host.calls.at(-1)?.args[0]).toMatchObject({ title: 'Jüly', labels: ['a', 'b'], input: {} });
  });

  it.each<[string, string | Buffer, unknown[]]>([
    ['title', Buffer.from([0xff]), [400, 'INVALID_REQUEST', 'The field title is not valid UTF-8.']],
    ['title', ' ', [422, 'REQUEST_VALIDATION_ERROR', { path: 'title', reason: 'must not be blank' }]],
    ['labels', 'a,b', [400, 'INVALID_REQUEST', 'The field labels is not valid JSON.']],
    ['labels', 'null', [422, 'REQUEST_VALIDATION_ERROR', { path: 'labels', reason: 'must be an array' }]],
    ['labels', '["a","a"]', [422, 'REQUEST_VALIDATION_ERROR', { path: 'labels', reason: 'must have each label once' }]],
    ['labels', '["a",7]', [422, 'REQUEST_VALIDATION_ERROR', { path: 'labels.1', reason: 'must be a string' }]],
    [
      'labels',
      JSON.stringify(Array.from({ length: 17 }, (_, nth) => `l${nth}`)),
      [422, 'REQUEST_VALIDATION_ERROR', { path: 'labels', reason: 'must have at most 16 entries' }],
    ],
  ])('are refused by name, and nothing is left: %s %s', async (name, body, refusal) => {
    expect(await post({ name, body })).toEqual(refusal);
    expect([await host.attachments.all(), host.calls]).toEqual([[], []]);
  });
});
