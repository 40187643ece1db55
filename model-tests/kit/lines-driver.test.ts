import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { linesDriver } from '../conformance/index.ts';

const about = { transports: ['ws'], restMs: 10 } as const;

it('a client whose process has ended fails at once in all that was asked, is asked and is observed', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const driver = linesDriver({ input, output }, about);
  const opened = driver.open({ baseUrl: 'http://localhost', transports: ['ws'] });
  output.write('{"id":1}\n');
  const client = await opened;
  const observation = client.observe('task')[Symbol.asyncIterator]();
  output.write('{"observation":2,"fact":{"eventId":"1"}}\n');
  expect(await observation.next()).toMatchObject({ value: { eventId: '1' } });
  const [next, action] = [observation.next(), client.act('task', { suspendId: 's', actionType: 'a' })];
  output.end();
  const ended = "The output of the client's process has ended.";
  await Promise.all([expect(next).rejects.toThrow(ended), expect(action).rejects.toThrow(ended)]);
  await expect(client.refreshes()).rejects.toThrow(ended);
  await expect(client.observe('task')[Symbol.asyncIterator]().next()).rejects.toThrow(ended);
});
