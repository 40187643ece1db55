import { join } from 'node:path';
import { startHost, type HostProcess } from '../report/host-process.ts';
import { startProxy } from '../report/proxy.ts';
import { demoRoutes } from './demo-routes.ts';
import { startReverseProxy } from './reverse-proxy.ts';
import { buildPage } from './page-build.ts';
import { pageFiles } from './page-files.ts';
import { createNetworkSwitches, type NetworkSwitches } from './network-switches.ts';
import { createTokens, type Tokens } from './tokens.ts';

/** How to set the stage. */
export interface WebDemoOptions {
  /** Where tasks, files and the built page are kept. */
  readonly directory: string;
  /** Defaults to 0, any that is free. */
  readonly port?: number;
  /** How long a token is good, in milliseconds. Defaults to 10 minutes. */
  readonly tokenMs?: number;
}

/** The page, the server and what stands between them, running. */
export interface WebDemo {
  readonly url: string;
  readonly host: HostProcess;
  readonly network: NetworkSwitches;
  readonly tokens: Tokens;
  close(): Promise<void>;
}

const TOKEN_MS = 600_000;

/** Builds the page and starts everything. */
export async function startWebDemo({ directory, port = 0, tokenMs = TOKEN_MS }: WebDemoOptions): Promise<WebDemo> {
  const built = join(directory, 'page');
  await buildPage(built);
  const tokens = createTokens(tokenMs);
  const behind: { network?: NetworkSwitches; port: number } = { port: 0 };
  const switches = (): NetworkSwitches => {
    if (!behind.network) throw new Error('The server is not there yet.');
    return behind.network;
  };
  // The host asks the front whose token it is, so the front comes first.
  const front = await startReverseProxy(port, [demoRoutes(tokens, switches), await pageFiles(built)], () => ({
    port: behind.port,
    isThere: behind.network?.state().network ?? false,
  }));
  const url = `http://127.0.0.1:${front.port}`;
  const host = await startHost(directory, { authenticate: `http://127.0.0.1:${front.port}/demo/who` });
  const proxy = await startProxy(() => host.port);
  behind.port = Number(new URL(proxy.url).port);
  const network = createNetworkSwitches(host, proxy, tokens);
  behind.network = network;
  return {
    url,
    host,
    network,
    tokens,
    async close() {
      await front.close();
      await proxy.close();
      await host.stop();
    },
  };
}
