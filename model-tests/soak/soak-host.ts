import { buildProgram } from '../support/built-program.ts';
import { forkProgram, heard, startProcess } from '../support/child-process.ts';
import type { HostMessage } from '../chaos/work-record.ts';
import type { HostMeasure } from './host-measure.ts';

/** What hosts of a soak are told. */
export interface SoakHostOptions {
  readonly program: string;
  readonly leaseMs: number;
  readonly retainedAfterEndMs: number;
  /** A port of Redis, or a folder of LMDB. */
  readonly place: number | string;
  hear(message: HostMessage): void;
}

/** A host in a process of its own, that can be asked how it stands. */
export interface SoakHost {
  readonly port: number;
  measure(): Promise<HostMeasure>;
  close(): Promise<void>;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** What a host is built to: one file for all of a run. */
export const buildSoakHost = () => buildProgram(new URL('children/host.ts', import.meta.url));

/** Starts one. */
export async function startSoakHost({ program, leaseMs, retainedAfterEndMs, place, hear }: SoakHostOptions): Promise<SoakHost> {
  const start = () =>
    forkProgram(program, [leaseMs, retainedAfterEndMs, place], { execArgv: ['--expose-gc'] }).on('message', (message: object) => {
      if ('began' in message || 'over' in message) hear(message as HostMessage);
    });
  const host = await startProcess('A host', start, (child) => heard<{ readonly port: number }>(child, (message) => 'port' in message));
  return {
    get port() {
      return host.said.port;
    },
    async measure() {
      const said = heard<{ readonly measure: HostMeasure }>(host.child, (message) => 'measure' in message);
      host.child.send('measure');
      return (await said).measure;
    },
    close: () => host.kill('SIGTERM'),
    kill: () => host.kill(),
    restart: host.restart,
  };
}
