import { expect, test } from 'vitest';
import { inProcess } from '../../adapters/in-process/index.ts';
import { bridgeOf } from './bridge-of.ts';

test('lets pages of foreign origins change nothing with the cookie of a caller', async () => {
  const of = await bridgeOf(inProcess({ work: () => Promise.resolve() }), {
    auth: ({ headers }) => ({ subject: headers.cookie ?? headers.authorization ?? '' }),
    allowedOrigins: ['https://app.example.com'],
  });
  const post = async (headers: Record<string, string>) => {
    const body = JSON.stringify({ clientRequestId: JSON.stringify(headers), taskType: 'work' });
    const response = await fetch(`${of.url}/api/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    const { code } = (await response.json()) as { code?: string };
    return code ?? response.status;
  };
  expect(await post({ cookie: 'alice', origin: 'https://evil.example' })).toBe('ORIGIN_NOT_ALLOWED');
  expect(await post({ cookie: 'alice', origin: 'null' })).toBe('ORIGIN_NOT_ALLOWED');
  expect(await post({ cookie: 'alice', origin: 'https://app.example.com' })).toBe(201);
  expect(await post({ cookie: 'alice', origin: of.url })).toBe(201);
  expect(await post({ cookie: 'alice' })).toBe(201);
  expect(await post({ authorization: 'alice', origin: 'https://evil.example' })).toBe(201);
});
