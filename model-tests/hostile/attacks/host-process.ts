import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { buildProgram } from '../../chaos/program.ts';

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

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Starts a host. */
export async function startHostProcess(times: HostTimes): Promise<HostProcess> {
  const program = await buildProgram(new URL('children/host.ts', import.meta.url));
  const child = fork(program.file, [JSON.stringify(times)], {
    cwd: root,
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const died = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`The host ended (${String(signal ?? code)}).`);
  });
  died.catch(() => undefined);
  const next = async <T>(): Promise<T> => {
    const [message] = (await Promise.race([once(child, 'message'), died])) as [T];
    return message;
  };
  const { port } = await next<{ port: number }>();
  let asking: Promise<HostStats> | undefined;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async stats(how = 'look') {
      await asking;
      const answer = next<HostStats>();
      child.send(how);
      asking = answer;
      return answer;
    },
    async stop() {
      const gone = once(child, 'exit');
      kill();
      await gone;
      process.off('exit', kill);
      await program.remove();
    },
  };
}
