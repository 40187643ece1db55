import { fileURLToPath } from 'node:url';
import type { Contestant, ContestantPlace } from '../contestants/contestant.ts';
import type { Load } from '../load/load.ts';
import { startChild, type Child } from './child.ts';
import type { Endings } from './endings.ts';

/** Who is measured. */
export type ContestantName = 'ours' | 'bareWs' | 'bareHttp' | 'bareJoined' | 'socketIo' | 'original';
/** A contestant's process. */
export type ContestantProcess = Child<Contestant, ContestantPlace>;
/** The process that plays all clients. */
export type LoadProcess = Child<Load, unknown>;

const files: Readonly<Record<Exclude<ContestantName, 'original'>, string>> = {
  ours: 'taskbridge.js',
  bareWs: 'bare-ws.js',
  bareHttp: 'bare-http.js',
  bareJoined: 'bare-http.js',
  socketIo: 'socket-io.js',
};

let profiles = 0;

/** Where profiles are written to. */
export const PROFILES = '.data/bench/profiles';

/** Starts a contestant on the run's Redis. Further arguments are its own. */
export function startContestant(
  endings: Endings,
  name: ContestantName,
  { redisPort, profiled }: { readonly redisPort: number; readonly profiled: boolean },
  ...more: string[]
): Promise<ContestantProcess> {
  if (name === 'original')
    return startChild(endings, '.data/original/bin/python', ['bench/contestants/original/host.py', String(redisPort)]);
  const path = fileURLToPath(new URL(`../contestants/${files[name]}`, import.meta.url));
  const profile = profiled ? ['--cpu-prof', `--cpu-prof-dir=${PROFILES}`, `--cpu-prof-name=${name}-${++profiles}.cpuprofile`] : [];
  return startChild(endings, process.execPath, [...profile, '--expose-gc', path, String(redisPort), ...more]);
}

/** Starts the clients. */
export function startLoad(endings: Endings): Promise<LoadProcess> {
  return startChild(endings, process.execPath, [fileURLToPath(new URL('../load/process.js', import.meta.url))]);
}
