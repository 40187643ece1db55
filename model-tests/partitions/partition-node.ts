import { heard, startProcess } from '../support/child-process.ts';
import type { HostMessage } from '../chaos/work-record.ts';
import type { NamespaceNetwork } from './namespace-network.ts';
import { redisMachines } from './redis-pair.ts';

const PORT = 8080;

/** A node on a machine of its own. */
export interface PartitionNode {
  readonly host: string;
  readonly port: number;
  /** From now on its date is off by so much. */
  setDateOff(ms: number): void;
  kill(): Promise<void>;
}

/** Starts one; `hear` is told what its work does, past every cut. */
export async function startPartitionNode(
  network: NamespaceNetwork,
  machine: string,
  { program, leaseMs, hear }: { readonly program: string; readonly leaseMs: number; hear(message: HostMessage): void },
): Promise<PartitionNode> {
  const host = network.addressOf(machine);
  const args = [leaseMs, host, PORT, redisMachines.map(network.addressOf).join(',')];
  const start = () =>
    network.fork(machine, program, args).on('message', (message: object) => {
      if ('began' in message || 'over' in message) hear(message as HostMessage);
    });
  const node = await startProcess(machine, start, (child) => heard<{ readonly port: number }>(child, (message) => 'port' in message));
  return { host, port: PORT, setDateOff: (dateOffMs) => void node.child.send({ dateOffMs }), kill: () => node.kill() };
}
