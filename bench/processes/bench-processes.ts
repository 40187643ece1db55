import { fileURLToPath } from 'node:url';
import type { BenchedSystem, SystemAddress } from '../systems/system.ts';
import type { RestartedSystem } from '../systems/restarted.ts';
import type { Load } from '../load/load.ts';
import { startChild, type Child } from './child.ts';
import type { CleanupStack } from './cleanup-stack.ts';

/** Who is measured. */
export type SystemName = 'ours' | 'bareWs' | 'bareHttp' | 'bareJoined' | 'socketIo' | 'original';
/** A system's process. */
export type SystemProcess = Child<BenchedSystem, SystemAddress>;
/** Who is started on a folder with tasks in it. */
export type RestartedName = 'lmdbHost' | 'bareLmdb';
/** A system that was restarted. */
export type RestartedProcess = Child<RestartedSystem, SystemAddress>;
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

/** Starts a system on the run's Redis. Further arguments are its own. */
export function startSystem(
  cleanup: CleanupStack,
  name: SystemName,
  { redisPort, profiled }: { readonly redisPort: number; readonly profiled: boolean },
  ...more: string[]
): Promise<SystemProcess> {
  if (name === 'original') return startChild(cleanup, '.data/original/bin/python', ['bench/systems/original/host.py', String(redisPort)]);
  const path = fileURLToPath(new URL(`../systems/${files[name]}`, import.meta.url));
  const profile = profiled ? ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`, `--cpu-prof-name=${name}-${++profiles}.cpuprofile`] : [];
  return startChild(cleanup, process.execPath, [...profile, '--expose-gc', path, String(redisPort), ...more]);
}

/** Starts a system on a folder. */
export function startRestarted(cleanup: CleanupStack, name: RestartedName, ...more: string[]): Promise<RestartedProcess> {
  const file = name === 'lmdbHost' ? 'lmdb-host.js' : 'bare-lmdb.js';
  return startChild(cleanup, process.execPath, [fileURLToPath(new URL(`../systems/${file}`, import.meta.url)), '', ...more]);
}

/** Starts the clients. */
export function startLoad(cleanup: CleanupStack): Promise<LoadProcess> {
  return startChild(cleanup, process.execPath, [fileURLToPath(new URL('../load/process.js', import.meta.url))]);
}
