import { execFile, execFileSync, spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { promisify } from 'node:util';
import { forkProgram } from '../support/child-process.ts';

const run = promisify(execFile);
/** Set in the process that runs in namespaces of its own. */
const INSIDE = 'TASKBRIDGE_OWN_NETWORK';
const [SUBNET, ROUTER] = ['10.77.0', 'router'];

/** Whether a cut keeps what goes one way, or both. */
export type CutWay = 'both ways' | 'one way';

/** Machines that reach each other over a router, each in a network namespace of its own; all of it goes with the process that made it. */
export interface NamespaceNetwork {
  addressOf(machine: string): string;
  /** Runs a program on a machine. */
  spawn(machine: string, program: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Runs a built program of ours on a machine, with a channel for messages, which no cut touches. */
  fork(machine: string, program: string, args: readonly unknown[]): ChildProcess;
  /** From now on the router drops what goes between two machines, or from the first to the second: silence, and no reset. */
  cut(from: string, to: string, way?: CutWay): Promise<void>;
  /** Nothing is cut any more. */
  heal(): Promise<void>;
}

/**
 * How to run a program in network and mount namespaces of its own. Throws a sentence where this machine has none to give: whoever is root may make
 * them, and others where the system lets users have namespaces.
 */
export function ownNetworkArgs(): readonly string[] {
  if (spawnSync('ip', ['-Version']).status !== 0)
    throw new Error(`There is no \`ip\`: install iproute2, or run \`npm run setup\`. ${NEEDED}`);
  const kinds = ['--net', '--mount'];
  const ways = process.getuid?.() === 0 ? [kinds, ['--user', '--map-root-user', ...kinds]] : [['--user', '--map-root-user', ...kinds]];
  const way = ways.find((args) => spawnSync('unshare', [...args, 'mount', '-t', 'tmpfs', 'tmpfs', '/run']).status === 0);
  if (!way) throw new Error(`Network namespaces cannot be made here: be root, or allow users to make them. ${NEEDED}`);
  return way;
}

const NEEDED = 'Partitions are made in network namespaces, and NOTHING was tried without them.';

/** Runs this very program again, in namespaces of its own; resolves with its exit code. In there it gives undefined: go on. */
export async function enterOwnNetwork(): Promise<number | undefined> {
  if (process.env[INSIDE]) return undefined;
  const args = [...ownNetworkArgs(), process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', args, { stdio: 'inherit', env: { ...process.env, [INSIDE]: 'yes' } });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Lays wires from a router to this process, which is the first machine, and to the others, each of which gets a namespace. */
export async function layNetwork(machines: readonly [string, ...string[]]): Promise<NamespaceNetwork> {
  if (!process.env[INSIDE]) throw new Error('Only a process in namespaces of its own may lay a network: see enterOwnNetwork.');
  const [own, ...others] = machines;
  // Names of namespaces are files of this folder: ours, so that nobody else sees them, and nothing has to be cleared away.
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
  const addressOf = (machine: string): string => {
    const at = machines.indexOf(machine);
    if (at < 0) throw new RangeError(`There is no machine ${machine}.`);
    return `${SUBNET}.${at + 2}`;
  };
  const inside = (machine: string): readonly string[] => (machine === own ? [] : ['-n', machine]);
  const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  for (const name of [ROUTER, ...others]) ip('netns', 'add', name);
  for (const [at, machine] of machines.entries()) {
    const [near, far, on] = [`up${at}`, `to${at}`, inside(machine)];
    ip('-n', ROUTER, 'link', 'add', far, 'type', 'veth', 'peer', 'name', near);
    if (machine === own) ip('-n', ROUTER, 'link', 'set', near, 'netns', String(process.pid));
    else ip('-n', ROUTER, 'link', 'set', near, 'netns', machine);
    ip(...on, 'link', 'set', 'lo', 'up');
    ip(...on, 'addr', 'add', `${addressOf(machine)}/32`, 'dev', near);
    ip(...on, 'link', 'set', near, 'up');
    ip(...on, 'route', 'add', `${SUBNET}.1`, 'dev', near);
    ip(...on, 'route', 'add', `${SUBNET}.0/24`, 'via', `${SUBNET}.1`);
    ip('-n', ROUTER, 'addr', 'add', `${SUBNET}.1/32`, 'dev', far);
    ip('-n', ROUTER, 'link', 'set', far, 'up');
    ip('-n', ROUTER, 'route', 'add', addressOf(machine), 'dev', far);
  }
  execFileSync('ip', ['netns', 'exec', ROUTER, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);

  const cuts: (readonly string[])[] = [];
  const rule = (what: 'add' | 'del', args: readonly string[]) => run('ip', ['-n', ROUTER, 'rule', what, ...args]);
  return {
    addressOf,
    spawn: (machine, program, args, options = {}) =>
      machine === own ? spawn(program, args, options) : spawn('ip', ['netns', 'exec', machine, program, ...args], options),
    fork: (machine, program, args) =>
      forkProgram(program, args, machine === own ? {} : { execPath: 'ip', execArgv: ['netns', 'exec', machine, process.execPath] }),
    async cut(from, to, way = 'both ways') {
      const pairs =
        way === 'one way'
          ? [[from, to]]
          : [
              [from, to],
              [to, from],
            ];
      for (const [a = '', b = ''] of pairs) {
        const args = ['from', addressOf(a), 'to', addressOf(b), 'blackhole'];
        cuts.push(args);
        await rule('add', args);
      }
    },
    async heal() {
      for (const args of cuts.splice(0)) await rule('del', args);
    },
  };
}
