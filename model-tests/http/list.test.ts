import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TaskBridgeError } from '../../server/errors.ts';
import type { HttpOptions } from '../../server/http/options.ts';
import type { ListStep, TaskService } from '../../server/task/service.ts';
import { fakeService } from './fake-service.ts';
import { startHost } from './host.ts';
import { head, openRaw } from './raw.ts';

const KIB = 1024;

/** A list of texts of so many bytes each, the last of which is an error where it is said. */
async function hostOf(sizes: readonly number[], failure?: Error, options: Partial<HttpOptions> = {}) {
  const { service } = fakeService();
  let asked = 0;
  async function* list(): AsyncGenerator<ListStep, void, undefined> {
    for (const [nth, size] of sizes.entries()) {
      asked += 1;
      yield { json: Buffer.from(JSON.stringify('x'.repeat(size - 2))), nextAfter: `${nth}-${'0'.repeat(64)}` };
    }
    if (failure) throw failure;
    yield { nextAfter: null };
  }
  const listing: TaskService = { ...service, list };
  const host = await startHost({ service: listing, options });
  onTestFinished(() => host.close());
  const ask = async (method = 'GET') => {
    const response = await fetch(`${host.url}/api/v1/tasks`, { method, headers: { authorization: 'Bearer ada' } });
    const body = await response.text();
    const { tasks, nextAfter, code } = (body === '' ? {} : JSON.parse(body)) as { tasks?: string[]; nextAfter?: string; code?: string };
    return { status: response.status, code, sizes: tasks?.map(({ length }) => length + 2), nextAfter };
  };
  return { ...host, ask, asked: () => asked };
}

const away = new TaskBridgeError('STORE_UNAVAILABLE', 'The store did not answer.', { retryAfterSeconds: 5 });
const LARGE = 200 * KIB;

describe('the list of tasks', () => {
  it.each([[[]], [[10]], [[10, 20]], [[LARGE, LARGE, 10]], [[LARGE, LARGE, LARGE, LARGE, LARGE]], [[LARGE, 57 * KIB]]])(
    'is whole, in however many pieces it goes out: %j',
    async (sizes) => {
      const host = await hostOf(sizes);
      expect(await host.ask()).toMatchObject({ status: 200, sizes, nextAfter: null });
    },
  );

  it('that cannot be read is answered as an error, before anything is written', async () => {
    expect(await (await hostOf([], away)).ask()).toMatchObject({ status: 503, code: 'STORE_UNAVAILABLE' });
    expect(await (await hostOf([10, 10], away)).ask()).toMatchObject({ status: 503, code: 'STORE_UNAVAILABLE' });
  });

  it('that cannot be read on ends, and says where to go on', async () => {
    const sizes = [LARGE, LARGE];
    const host = await hostOf(sizes, away);
    expect(await host.ask()).toMatchObject({ status: 200, sizes, nextAfter: `1-${'0'.repeat(64)}` });
  });

  it('that there is no room for ends, and says where to go on', async () => {
    // One answer fits in any case: its first piece, beyond which there is none.
    const host = await hostOf([LARGE, LARGE, LARGE], undefined, { unsentBytesPerOwnerMax: 100 * KIB });
    expect(await host.ask()).toMatchObject({ status: 200, sizes: [LARGE, LARGE], nextAfter: `1-${'0'.repeat(64)}` });
  });

  it('is read as its peer takes it', async () => {
    const host = await hostOf(Array.from({ length: 200 }, () => LARGE));
    const raw = openRaw(host.port);
    raw.socket.pause();
    onTestFinished(() => void raw.socket.destroy());
    await raw.write(head('GET /api/v1/tasks'));
    await vi.waitFor(() => expect(host.asked()).toBeGreaterThan(1));
    // Another is answered meanwhile, and what the first one has not read is still not asked for.
    const before = host.asked();
    expect(await host.ask('HEAD')).toMatchObject({ status: 200 });
    expect(host.asked()).toBeLessThan(before + 50);
  });
});
