import { fileURLToPath } from 'node:url';
import { forkProgram, heard, startProcess } from '../support/child-process.ts';
import { patience } from '../support/patience.ts';

const program = fileURLToPath(new URL('children/writing-host.ts', import.meta.url));
/** A node that is killed is missed after this. */
const LEASE_MS = patience(1000);

/** One node of a host, in a process of its own, whose work writes. */
export interface WritingHost {
  /** Where it listens; changes when it is started again. */
  readonly port: number;
  /** `kill -9`: resolves when it is gone. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Lets the writer go on that has come to one of the `stops` of its input. */
  goOn(): void;
}

/** Starts a node on a Redis server, by its port, or on a folder of LMDB. */
export async function startWritingHost(place: { readonly redis: number } | { readonly lmdb: string }): Promise<WritingHost> {
  const args = 'lmdb' in place ? ['lmdb', place.lmdb] : ['redis', place.redis];
  const host = await startProcess(
    'A node that writes',
    () => forkProgram(program, [...args, LEASE_MS]),
    (child) => heard<{ readonly port: number }>(child, (message) => 'port' in message),
  );
  return {
    get port() {
      return host.said.port;
    },
    kill: () => host.kill(),
    restart: host.restart,
    goOn: () => void host.child.send('go on'),
  };
}
