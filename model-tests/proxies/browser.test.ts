import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { TransportName } from 'taskbridge/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patience } from '../support/patience.ts';
import { startChromium, type OwnBrowser } from '../web/chromium.ts';
import { startHost, type Host } from './host.ts';
import { logOf } from './journey.ts';
import { startProxy, type ProxyName, type RunningProxy } from './proxy.ts';

const FIRST_FACT_MS = patience(8_000);

/** A configuration, the transport that a page comes to, and the protocol of its requests. */
type Row = readonly [proxy: ProxyName, site: string, by: TransportName | 'any', protocol: string, path?: string];

const rows: readonly Row[] = [
  ['nginx', 'recommended', 'ws', 'h2'],
  // A WebSocket goes over HTTP/2 here (RFC 8441).
  ['haproxy', 'recommended', 'ws', 'h2'],
  ['nginx', 'bare', 'sse', 'http/1.1'],
  // The Host that comes is nginx's own, the page's Origin another one, and a browser says of no WebSocket whose page it is of.
  ['nginx', 'upgrade', 'sse', 'http/1.1'],
  ['nginx', 'prefix', 'ws', 'http/1.1', '/backend'],
  ['haproxy', 'forbidden', 'sse', 'http/1.1'],
  ['nginx', 'buffering', 'any', 'http/1.1'],
  ['caddy', 'recommended', 'ws', 'h2'],
];
const sitesOf = (proxy: ProxyName): string[] => rows.flatMap(([name, site]) => (name === proxy ? [site] : []));

let host: Host;
let browser: OwnBrowser;
let proxies: Readonly<Record<ProxyName, RunningProxy>>;
beforeAll(async () => {
  const entry = fileURLToPath(new URL('page.ts', import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
  });
  const page = '<!doctype html><title>A page</title><link rel="icon" href="data:,"><script src="page.js"></script>';
  host = await startHost({
    files: { '/': { type: 'html', text: page }, '/page.js': { type: 'js', text: outputFiles[0]?.text ?? '' } },
  });
  const [nginx, haproxy, caddy, chromium] = await Promise.all([
    startProxy('nginx', sitesOf('nginx'), host.port),
    startProxy('haproxy', sitesOf('haproxy'), host.port),
    startProxy('caddy', sitesOf('caddy'), host.port),
    startChromium('--ignore-certificate-errors'),
  ]);
  proxies = { nginx, haproxy, caddy };
  browser = chromium;
  // Of all ports.
  await browser.context.addCookies([{ name: 'name', value: 'ada', domain: '127.0.0.1', path: '/' }]);
});
afterAll(async () => {
  await browser?.close();
  await Promise.all(Object.values(proxies ?? {}).map((proxy) => proxy.stop()));
  await host?.close();
});

describe.each(rows.map((row) => ({ name: `${row[0]}, ${row[1]}`, row })))(
  'a page behind $name',
  ({ row: [proxy, site, by, protocol, path = ''] }) => {
    test('has the first fact within 8 s, each once and in order, and its answers are taken', async () => {
      const url = `${proxies[proxy].url(site)}${path}/`;
      const page = await browser.context.newPage();
      await page.goto(url);
      const { numbers, firstFactMs, transports, receipts, result, protocols } = await page.evaluate(() => window.travelHere());
      await page.close();
      expect(numbers).toEqual(logOf(2));
      expect(receipts).toEqual(['ACCEPTED', 'ACCEPTED']);
      expect(result).toEqual({ rounds: 2 });
      expect(protocols).toEqual([protocol]);
      if (by !== 'any') expect(transports).toEqual([by, by]);
      expect(firstFactMs).toBeLessThan(FIRST_FACT_MS);
    });
  },
);
