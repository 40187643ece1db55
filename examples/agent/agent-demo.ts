import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startHostProgram, type HostProcess } from '../report/host-process.ts';
import { startProxy, type Proxy } from '../report/proxy.ts';
import { buildPage } from '../web/page-build.ts';
import { pageFiles } from '../web/page-files.ts';
import { startReverseProxy } from '../web/reverse-proxy.ts';
import { troubleRoutes } from './trouble-routes.ts';

/** How to set the stage. */
export interface AgentDemoOptions {
  /** Where tasks and the built page are kept. */
  readonly directory: string;
  /** Defaults to 0, any that is free. */
  readonly port?: number;
  /** The rest of the model before each word, in milliseconds. Defaults to the host's own. */
  readonly wordMs?: number;
}

/** The page, the host and the network between them, running. */
export interface AgentDemo {
  readonly url: string;
  readonly host: HostProcess;
  readonly proxy: Proxy;
  close(): Promise<void>;
}

const hostProgram = fileURLToPath(new URL('host.ts', import.meta.url));
const page = fileURLToPath(new URL('page', import.meta.url));

/** Builds the page and starts everything. The page is served by this process, so that it can be loaded while there is no host. */
export async function startAgentDemo({ directory, port = 0, wordMs }: AgentDemoOptions): Promise<AgentDemo> {
  const built = join(directory, 'page');
  await buildPage(built, page);
  const pace = wordMs === undefined ? [] : ['--word-ms', String(wordMs)];
  const host = await startHostProgram(hostProgram, ['--data', join(directory, 'store'), '--port', '0', ...pace]);
  const proxy = await startProxy(() => host.port);
  const upstream = { port: Number(new URL(proxy.url).port), isThere: true };
  const front = await startReverseProxy(port, [troubleRoutes(host, proxy), await pageFiles(built)], () => upstream);
  return {
    url: `http://127.0.0.1:${front.port}`,
    host,
    proxy,
    async close() {
      await front.close();
      await proxy.close();
      await host.stop();
    },
  };
}
