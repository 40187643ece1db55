import type { TransportName } from 'taskbridge/client/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patience } from '../support/patience.ts';
import { trustEverybody } from './certificate.ts';
import { startHost, type Host } from './host.ts';
import { logOf, readLog, travel } from './journey.ts';
import { nodeClient } from './node-client.ts';
import { startProxy, type ProxyName, type RunningProxy } from './proxy.ts';

/** The promise: behind whatever proxy, with the defaults of a client. */
const FIRST_FACT_MS = patience(8_000);

/** A configuration, and the transport that a client comes to. */
type Row = readonly [proxy: ProxyName, site: string, by: TransportName | 'any', path?: string];

const rows: readonly Row[] = [
  ['nginx', 'recommended', 'ws'],
  ['nginx', 'bare', 'sse'],
  ['nginx', 'upgrade', 'ws'],
  ['nginx', 'redirect', 'sse'],
  ['nginx', 'gzip', 'sse'],
  ['nginx', 'cache', 'sse'],
  ['nginx', 'prefix', 'ws', '/backend'],
  // What brings the first facts is no promise where a transport is held back.
  ['nginx', 'buffering', 'any'],
  ['haproxy', 'recommended', 'ws'],
  ['haproxy', 'plain', 'ws'],
  ['haproxy', 'no-upgrade', 'sse'],
  ['haproxy', 'forbidden', 'sse'],
  ['haproxy', 'gzip', 'sse'],
  ['haproxy', 'cache', 'sse'],
  ['haproxy', 'prefix', 'ws', '/backend'],
  ['haproxy', 'buffering', 'any'],
  ['caddy', 'recommended', 'ws'],
  ['caddy', 'plain', 'ws'],
  ['caddy', 'no-upgrade', 'sse'],
  ['caddy', 'forbidden', 'sse'],
  ['caddy', 'encode', 'poll'],
  ['caddy', 'encode-but-streams', 'sse'],
  ['caddy', 'prefix', 'ws', '/backend'],
  ['caddy', 'buffering', 'any'],
];
const sitesOf = (proxy: ProxyName): string[] => rows.flatMap(([name, site]) => (name === proxy ? [site] : []));

let host: Host;
let proxies: Readonly<Record<ProxyName, RunningProxy>>;
let trustNobodyElse: () => void;
beforeAll(async () => {
  trustNobodyElse = trustEverybody();
  host = await startHost();
  const [nginx, haproxy, caddy] = await Promise.all([
    startProxy('nginx', sitesOf('nginx'), host.port),
    startProxy('haproxy', sitesOf('haproxy'), host.port),
    startProxy('caddy', sitesOf('caddy'), host.port),
  ]);
  proxies = { nginx, haproxy, caddy };
});
afterAll(async () => {
  trustNobodyElse();
  await Promise.all(Object.values(proxies ?? {}).map((proxy) => proxy.stop()));
  await host?.close();
});
const urlOf = ([proxy, site, , path = '']: Row): string => proxies[proxy].url(site) + path;

describe.each(rows.map((row) => ({ name: `${row[0]}, ${row[1]}`, row })))('behind $name', ({ row }) => {
  const [, , by] = row;

  test('the first fact comes within 8 s, each comes once and in order, and questions are answered', async () => {
    const { client } = nodeClient(urlOf(row));
    const { numbers, firstFactMs, transports, receipts, result, taskId } = await travel(client);
    expect(numbers).toEqual(logOf(2));
    expect(receipts).toEqual(['ACCEPTED', 'ACCEPTED']);
    expect(result).toEqual({ rounds: 2 });
    if (by !== 'any') expect(transports).toEqual([by, by]);
    expect(firstFactMs).toBeLessThan(FIRST_FACT_MS);
    // Somebody who comes late, by a client of his own.
    expect(await readLog(nodeClient(urlOf(row)).client, taskId)).toEqual(logOf(2));
  });
});

describe.each<TransportName>(['ws', 'sse', 'poll'])('where only %s is allowed', (transport) => {
  test.each<ProxyName>(['nginx', 'haproxy', 'caddy'])('the recommended %s brings each fact once and in order', async (proxy) => {
    const { client } = nodeClient(proxies[proxy].url('recommended'), { transports: [transport] });
    const { numbers, firstFactMs } = await travel(client, { rounds: 20 });
    expect(numbers).toEqual(logOf(20));
    expect(firstFactMs).toBeLessThan(FIRST_FACT_MS);
  });
});

describe('a file', () => {
  // Above the 1 MiB that nginx takes by itself.
  const attachments = [{ fileName: 'big.bin', content: new Uint8Array(3 * 1024 * 1024) }];

  test.each<ProxyName>(['nginx', 'haproxy', 'caddy'])('goes through the recommended %s', async (proxy) => {
    const { client } = nodeClient(proxies[proxy].url('recommended'));
    const { numbers } = await travel(client, { rounds: 1, attachments });
    expect(numbers).toEqual(logOf(1));
  });

  test('is too large for an nginx that was told nothing of it', async () => {
    const { client } = nodeClient(proxies.nginx.url('bare'));
    await expect(travel(client, { attachments })).rejects.toMatchObject({ status: 413 });
  });
});

describe('a cache that keeps what it should not', () => {
  test.each<ProxyName>(['nginx', 'haproxy'])('of %s has no stale poll for a client', async (proxy) => {
    // A poll without news is kept too: the same one asked again would be answered so for an hour.
    const { client } = nodeClient(proxies[proxy].url('cache'), { transports: ['poll'], limits: { pollWaitMs: 200, emptyPauseMs: 20 } });
    const polls = (): number => host.asked.filter((line) => line.includes('/events?')).length;
    const { numbers } = await travel(client, {
      before: async () => {
        const begun = polls();
        await expect.poll(polls, { interval: 20 }).toBeGreaterThan(begun + 2);
      },
    });
    expect(numbers).toEqual(logOf(2));
  });
});
