import type { TransportName } from 'taskbridge/client/node';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { startHost, type Host } from './host.ts';
import { logOf, travel } from './journey.ts';
import { nodeClient } from './node-client.ts';
import { startProxy, type ProxyName, type RunningProxy } from './proxy.ts';

const names: readonly ProxyName[] = ['nginx', 'haproxy'];
const transports: readonly TransportName[] = ['ws', 'sse', 'poll'];
const streams = ['ws', 'sse'] as const;

let silent: Host;
let talkative: Host;
let proxies: readonly RunningProxy[] = [];
beforeAll(async () => {
  silent = await startHost();
  talkative = await startHost({ live: { heartbeatMs: 4_000, sseHeartbeatMs: 4_000 } });
  proxies = await Promise.all([silent, talkative].flatMap(({ port }) => names.map((name) => startProxy(name, ['time-outs'], port))));
});
afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  await Promise.all([silent?.close(), talkative?.close()]);
});
const urlOf = (name: ProxyName, host: Host): string =>
  proxies[names.indexOf(name) + (host === silent ? 0 : names.length)]?.url('time-outs') ?? '';

// They wait for the proxies, and need not do so one after the other.
describe.concurrent.each(names)('%s that ends what is quiet for 10 s', (name) => {
  test.for(transports)('costs %s a connection, and no fact', async (transport, { expect, onTestFinished }) => {
    const { client, untilLost } = nodeClient(urlOf(name, silent), { transports: [transport] }, onTestFinished);
    const { numbers } = await travel(client, { before: async (round) => round === 1 && untilLost() });
    expect(numbers).toEqual(logOf(2));
  });

  test.for(streams)('costs %s nothing where the host speaks every 4 s', async (transport, { expect, onTestFinished }) => {
    let heard = (): void => undefined;
    const { client, losses, untilLost } = nodeClient(
      urlOf(name, talkative),
      { transports: [transport], listener: { onRawPayload: () => heard() } },
      onTestFinished,
    );
    const { numbers } = await travel(client, {
      // Three heartbeats are 12 s.
      before: async (round) => round === 1 && Promise.race([untilLost(), times(3, (listen) => (heard = listen))]),
    });
    expect(losses).toEqual([]);
    expect(numbers).toEqual(logOf(2));
  });
});

/** Resolves when the listener that it gives away was called so often. */
function times(count: number, give: (listen: () => void) => void): Promise<void> {
  let left = count;
  return new Promise((resolve) => give(() => (left -= 1) === 0 && resolve()));
}
