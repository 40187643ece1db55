import { once } from 'node:events';
import { buildProgram } from '../../support/built-program.ts';
import { forkProgram, heard, startProcess } from '../../support/child-process.ts';

/** Times after which a host ends what is too slow, in milliseconds. */
export interface HostTimes {
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly subscribeMs: number;
  readonly drainMs: number;
}

/** How a host stands. */
export interface HostStats {
  /** Those of its HTTP server, upgraded ones included. */
  readonly connections: number;
  readonly timers: number;
  readonly viewers: number;
  readonly rssBytes: number;
  /** Somebody put something on every object. */
  readonly isPolluted: boolean;
}

/** A host in a process of its own. */
export interface HostProcess {
  readonly port: number;
  readonly url: string;
  /** `collect` collects garbage first. */
  stats(how?: 'collect' | 'look'): Promise<HostStats>;
  stop(): Promise<void>;
}

/** What a small host has. */
const HEAP_MIB = 512;

/** Starts a host. */
export async function startHostProcess(times: HostTimes): Promise<HostProcess> {
  const program = await buildProgram(new URL('children/host.ts', import.meta.url));
  const start = () => forkProgram(program.file, [JSON.stringify(times)], { execArgv: ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`] });
  const host = await startProcess('The host', start, (child) => heard<{ readonly port: number }>(child));
  const died = once(host.child, 'exit').then(([code, signal]) => {
    throw new Error(`The host ended (${String(signal ?? code)}).`);
  });
  died.catch(() => undefined);
  const { port } = host.said;
  let asking: Promise<HostStats> | undefined;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async stats(how = 'look') {
      await asking;
      const answer = Promise.race([heard<HostStats>(host.child), died]);
      host.child.send(how);
      asking = answer;
      return answer;
    },
    async stop() {
      await host.kill();
      await program.remove();
    },
  };
}
