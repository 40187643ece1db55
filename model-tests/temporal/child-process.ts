import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A process that is killed and started again. */
export interface Child {
  /** `kill -9`: resolves when the process is gone. */
  kill(): Promise<void>;
  /** Resolves when it says that it is ready. */
  restart(): Promise<void>;
}

/** Starts one of `children/`; `onMessage` hears what it says besides. */
export async function startChild(
  file: string,
  args: readonly string[],
  onMessage: (message: unknown) => void = () => undefined,
): Promise<Child> {
  let child: ChildProcess;
  const start = async () => {
    const started = fork(fileURLToPath(new URL(`children/${file}`, import.meta.url)), [...args], {
      cwd: root,
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child = started;
    await new Promise<void>((resolve, reject) => {
      started.on('message', (message) => (message === 'ready' ? resolve() : onMessage(message)));
      started.once('error', reject);
      started.once('exit', (code, signal) => reject(new Error(`${file} ended before it was ready (${signal ?? code}).`)));
    });
  };
  await start();
  // Not to be left behind, however the tests end.
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    restart: start,
  };
}
