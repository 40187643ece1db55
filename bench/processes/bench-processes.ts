import { fileURLToPath } from 'node:url';
import type { AppendingSystem, BenchedSystem, PacedSystem, SystemAddress } from '../systems/system.ts';
import type { CreatingStore, CreatingSystem } from '../systems/creating-system.ts';
import type { PartSystem } from '../systems/part-writing.ts';
import type { TokenSystem } from '../systems/token-system.ts';
import type { RestartedSystem, WorkSystem } from '../systems/work-system.ts';
import type { TemporalSystem } from '../systems/temporal/temporal-system.ts';
import type { Load } from '../load/load.ts';
import { startChild, type Child } from './child.ts';
import type { CleanupStack } from './cleanup-stack.ts';
import { isTemporalHere, temporalServer } from '../../model-tests/temporal/dev-server.ts';

/** Who is measured. */
export type SystemName = 'ours' | 'bareWs' | 'bareHttp' | 'bareJoined' | 'socketIo' | 'original';
/** A system's process. */
export type SystemProcess = Child<BenchedSystem, SystemAddress>;
/** Our own system's. */
export type OwnProcess = Child<PacedSystem, SystemAddress>;
/** A bare writer. */
export type AppendingProcess = Child<AppendingSystem, unknown>;
/** A host that works on tasks. */
export type WorkProcess = Child<WorkSystem, SystemAddress>;
/** A bare queue. */
export type BareQueueProcess = Child<RestartedSystem, SystemAddress>;
/** A host whose tasks are created over HTTP. */
export type CreatingProcess = Child<CreatingSystem, SystemAddress>;
/** A store, or a bare script, that keeps text which grows. */
export type PartProcess = Child<PartSystem, SystemAddress>;
/** A host whose tasks speak token by token, or what is least needed for that. */
export type TokenProcess = Child<TokenSystem, SystemAddress>;
/** A host and a worker of Temporal. */
export type TemporalProcess = Child<TemporalSystem, unknown>;
/** The process that plays all clients. */
export type LoadProcess = Child<Load, unknown>;

const files: Readonly<Record<Exclude<SystemName, 'original'>, string>> = {
  ours: 'taskbridge.js',
  bareWs: 'bare-ws.js',
  bareHttp: 'bare-http.js',
  bareJoined: 'bare-http.js',
  socketIo: 'socket-io.js',
};

let profiles = 0;

/** Where profiles are written to. */
export const PROFILES = '.data/bench/profiles';

/** Starts a node of ours on the run's Redis, or on a folder of LMDB. */
export function startNode(
  cleanup: CleanupStack,
  { redisPort, profiled, path }: { readonly redisPort: number; readonly profiled: boolean; readonly path?: string | undefined },
): Promise<OwnProcess> {
  const more = path === undefined ? [] : ['1000', path];
  return startChild(cleanup, process.execPath, [
    ...profileFlags('ours', profiled),
    '--expose-gc',
    programOf(files.ours),
    String(redisPort),
    ...more,
  ]);
}

/** Starts a bare writer on a folder of LMDB. */
export function startBareAppends(cleanup: CleanupStack, path: string): Promise<AppendingProcess> {
  return startChild(cleanup, process.execPath, [programOf('bare-lmdb-appends.js'), path]);
}

/** Starts a system on the run's Redis. Further arguments are its own. */
export function startSystem(
  cleanup: CleanupStack,
  name: SystemName,
  { redisPort, profiled }: { readonly redisPort: number; readonly profiled: boolean },
  ...more: string[]
): Promise<SystemProcess> {
  if (name === 'original') return startChild(cleanup, '.data/original/bin/python', ['bench/systems/original/host.py', String(redisPort)]);
  const path = programOf(files[name]);
  return startChild(cleanup, process.execPath, [...profileFlags(name, profiled), '--expose-gc', path, String(redisPort), ...more]);
}

function programOf(file: string): string {
  return fileURLToPath(new URL(`../systems/${file}`, import.meta.url));
}

function profileFlags(name: string, profiled: boolean): readonly string[] {
  return profiled ? ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`, `--cpu-prof-name=${name}-${++profiles}.cpuprofile`] : [];
}

/** Where a host works, and what it finds there. */
export interface WorkPlace {
  readonly redisPort: number;
  readonly profiled: boolean;
  /** A folder of LMDB; undefined for the run's Redis, `none` for nothing at all. */
  readonly path?: string;
  /** Queued tasks that are left there, and as many that ask. */
  readonly left?: number;
  /** Defaults to 100. */
  readonly slots?: number;
}

/** Starts a host that works on tasks. */
export function startWorkHost(
  cleanup: CleanupStack,
  { redisPort, profiled, path = '', left = 0, slots = 100 }: WorkPlace,
): Promise<WorkProcess> {
  const args = [String(redisPort), path, String(left), String(slots)];
  return startChild(cleanup, process.execPath, [...profileFlags('workHost', profiled), '--expose-gc', programOf('work-host.js'), ...args]);
}

/** Where a host keeps the tasks that are created. */
export interface CreatingPlace {
  readonly redisPort: number;
  readonly profiled: boolean;
  readonly store: CreatingStore;
  /** The folder of LMDB. */
  readonly path: string;
}

/** Starts a host whose tasks are created over HTTP. */
export function startCreating(
  cleanup: CleanupStack,
  who: 'ours' | 'bareHttp',
  { redisPort, profiled, store, path }: CreatingPlace,
): Promise<CreatingProcess> {
  const program = programOf(who === 'ours' ? 'creating.js' : 'bare-creating.js');
  return startChild(cleanup, process.execPath, [...profileFlags(who, profiled), program, String(redisPort), store, path]);
}

/** Starts a server of Temporal, and what works with it. */
export async function startTemporalWork(
  cleanup: CleanupStack,
  { redisPort, profiled }: { readonly redisPort: number; readonly profiled: boolean },
): Promise<TemporalProcess | undefined> {
  if (!isTemporalHere()) return undefined;
  const { address, close } = await temporalServer();
  cleanup.add(close);
  if (address === undefined) return undefined;
  return startChild(cleanup, process.execPath, [
    ...profileFlags('temporal', profiled),
    programOf('temporal/temporal.js'),
    String(redisPort),
    address,
  ]);
}

/** Starts a bare queue on a folder. */
export function startBareQueue(cleanup: CleanupStack, path: string): Promise<BareQueueProcess> {
  return startChild(cleanup, process.execPath, [programOf('bare-lmdb.js'), '', path]);
}

/** Starts what keeps text which grows. */
export function startParts(
  cleanup: CleanupStack,
  who: 'ours' | 'bareWs',
  { redisPort, profiled }: { readonly redisPort: number; readonly profiled: boolean },
): Promise<PartProcess> {
  const program = programOf(who === 'ours' ? 'parts.js' : 'bare-parts.js');
  return startChild(cleanup, process.execPath, [...profileFlags(who, profiled), program, String(redisPort)]);
}

/** Starts what speaks token by token. */
export function startTokens(
  cleanup: CleanupStack,
  who: 'ours' | 'bareWs',
  { redisPort, profiled }: { readonly redisPort: number; readonly profiled: boolean },
): Promise<TokenProcess> {
  const program = programOf(who === 'ours' ? 'tokens.js' : 'bare-tokens.js');
  return startChild(cleanup, process.execPath, [...profileFlags(who, profiled), '--expose-gc', program, String(redisPort)]);
}

/** Starts the clients. */
export function startLoad(cleanup: CleanupStack): Promise<LoadProcess> {
  return startChild(cleanup, process.execPath, [fileURLToPath(new URL('../load/process.js', import.meta.url))]);
}
