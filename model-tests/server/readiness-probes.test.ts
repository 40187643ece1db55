import { describe, expect, test } from 'vitest';
import { fileAttachments } from '../../adapters/file/index.ts';
import { inProcess } from '../../adapters/in-process/index.ts';
import { memoryAttachments } from '../../adapters/memory/index.ts';
import { attachmentsProbe, eventLoopProbe } from '../../server/observability/index.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { bridgeOf } from './bridge-of.ts';

const silent = { warn: () => undefined, error: () => undefined };

describe('the probe of the event loop', () => {
  test('is not ready once a timer came too late, and for a while after', async () => {
    const clock = fakeClock();
    let blockedMs = 0;
    const probe = eventLoopProbe({ delayMsMax: 200, restMs: 1000, clock: { ...clock, monotonic: () => clock.now() + blockedMs } });
    clock.advance(500);
    expect(await probe.check()).toEqual({ ready: true });
    // As long as may be, and a millisecond longer.
    blockedMs = 200 + 50;
    expect(await probe.check()).toEqual({ ready: true });
    blockedMs += 1;
    expect(await probe.check()).toMatchObject({ ready: false, details: { delayMs: 201 } });
    clock.advance(50);
    clock.advance(999);
    expect(await probe.check()).toMatchObject({ ready: false });
    clock.advance(300);
    expect(await probe.check()).toEqual({ ready: true });
  });

  test.each([{ delayMsMax: 0 }, { restMs: 1.5 }, { delayMsMax: 2 ** 31 }])('takes no %j', (options) =>
    expect(() => eventLoopProbe(options)).toThrow(/must be a whole number from 1/),
  );
  test('takes no option that there is not', () => expect(() => eventLoopProbe({ delayMs: 1 } as object)).toThrow(/delayMs/));
});

describe('the probe of attachments', () => {
  test('is ready where the store of files answers', async () => {
    const folder = await tempFolder('files');
    try {
      expect(await attachmentsProbe(fileAttachments({ path: folder.path })).check()).toEqual({ ready: true });
      expect(await attachmentsProbe(memoryAttachments()).check()).toEqual({ ready: true });
    } finally {
      await folder.remove();
    }
  });

  test('is not ready where it fails, or does not answer in time', async () => {
    const clock = fakeClock();
    expect(await attachmentsProbe({ storeId: () => Promise.reject(new Error('gone')) }).check()).toMatchObject({ ready: false });
    const hanging = attachmentsProbe({ storeId: () => new Promise(() => undefined) }, { timeoutMs: 50, clock }).check();
    clock.advance(50);
    expect(await hanging).toMatchObject({ ready: false });
    expect(() => attachmentsProbe(memoryAttachments(), { timeoutMs: 0 })).toThrow(/must be a whole number from 1/);
  });
});

test('a host whose files are away is not ready, says which part, and lives', async () => {
  let isAway = false;
  const files = { storeId: () => (isAway ? Promise.reject(new Error('gone')) : Promise.resolve('s')) };
  const clock = fakeClock();
  const readiness = { attachments: attachmentsProbe(files), eventLoop: eventLoopProbe({ clock }) };
  const host = await bridgeOf(inProcess({}), { readiness, logger: silent });
  const statusOf = async (path: string) => (await fetch(`${host.url}${path}`)).status;
  expect([await statusOf('/health'), await statusOf('/ready')]).toEqual([200, 200]);
  isAway = true;
  const answer = await fetch(`${host.url}/ready`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ details: { attachments: { status: 'not_ready' }, eventLoop: { status: 'ready' } } });
  expect(await statusOf('/health')).toBe(200);
});
