import type { TransportName } from 'taskbridge/client/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { trustEverybody } from './certificate.ts';
import { startHost, type Host } from './host.ts';
import { logOf, travel } from './journey.ts';
import { nodeClient } from './node-client.ts';
import { startProxy, type ProxyName, type RunningProxy } from './proxy.ts';

const transports: readonly TransportName[] = ['ws', 'sse', 'poll'];
/** What its old process ends. Caddy's is the same process, where answers that have begun go on as they were. */
const ended: Readonly<Record<ProxyName, readonly TransportName[]>> = { nginx: transports, haproxy: transports, caddy: ['ws'] };

let host: Host;
let proxy: RunningProxy;
let trustNobodyElse: () => void;
const start = async (name: ProxyName): Promise<string> => {
  proxy = await startProxy(name, ['recommended'], host.port);
  return proxy.url('recommended');
};
beforeEach(async () => {
  trustNobodyElse = trustEverybody();
  host = await startHost();
});
afterEach(async () => {
  trustNobodyElse();
  await proxy?.stop();
  await host.close();
});

describe.each<ProxyName>(['nginx', 'haproxy', 'caddy'])('%s', (name) => {
  test('is reloaded, and tasks, answers and creates go on', async () => {
    const url = await start(name);
    const reloaded = gathering(transports.length, () => proxy.reload());
    const watched = transports.map((transport) => {
      const { client, untilLost } = nodeClient(url, { transports: [transport] });
      // Answered when the old process has let go, so that the rest comes by the new one.
      const released = (): Promise<unknown> => (ended[name].includes(transport) ? untilLost() : Promise.resolve());
      return travel(client, { rounds: 3, before: async (round) => round === 2 && Promise.all([reloaded(), released()]) });
    });
    const { client } = nodeClient(url);
    // Begun in that very moment.
    const created = reloaded.done.then(() => Promise.all(Array.from({ length: 20 }, () => travel(client, { rounds: 1 }))));
    for (const { numbers, result } of await Promise.all(watched)) {
      expect(numbers).toEqual(logOf(3));
      expect(result).toEqual({ rounds: 3 });
    }
    for (const { numbers } of await created) expect(numbers).toEqual(logOf(1));
  });

  test('has no host for a moment, and tasks, answers and creates go on', async () => {
    const url = await start(name);
    const statuses: number[] = [];
    const { client, untilLost } = nodeClient(url, {
      intercept: (used) => ({
        ...used,
        fetch: async (...request) => {
          const response = await used.fetch(...request);
          statuses.push(response.status);
          return response;
        },
      }),
    });
    let created: Promise<unknown> | undefined;
    const { numbers, result } = await travel(client, {
      before: async (round) => {
        if (round !== 1) return;
        await Promise.all([host.leave(), untilLost()]);
        created = client.start({ taskType: 'rounds', input: { rounds: 0 } });
        await expect.poll(() => statuses, { interval: 20 }).toContain(name === 'haproxy' ? 503 : 502);
        await host.comeBack();
      },
    });
    expect(numbers).toEqual(logOf(2));
    expect(result).toEqual({ rounds: 2 });
    expect(await created).toMatchObject({ deduplicated: false });
  });
});

/** Does something once, when so many have come to it; all of them, and who waits for `done`, go on when it is done. */
function gathering(count: number, act: () => Promise<void>): { (): Promise<void>; readonly done: Promise<void> } {
  let come = 0;
  let begin: () => void;
  const done = new Promise<void>((resolve) => (begin = resolve)).then(act);
  const arrive = (): Promise<void> => {
    come += 1;
    if (come === count) begin();
    return done;
  };
  return Object.assign(arrive, { done });
}
