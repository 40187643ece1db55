import { backUpStore } from './backup.ts';
import { checkStore, reportRows } from './check.ts';
import { restoreStore } from './restore.ts';

const USAGE = `taskbridge lmdb: looks after a folder in which lmdbStore keeps its tasks.

  npx taskbridge lmdb backup <folder> <file>    writes a consistent copy into a new file, also while a host has the store open
  npx taskbridge lmdb check <folder or file>    reads all of a store or of a backup, and says what is damaged; changes nothing
  npx taskbridge lmdb restore <file> <folder>   makes a store of a backup, in a folder that has none

Run it where the host runs: inside its container, as its user. Ends with 0 when all is well, with 1 when something failed or is damaged, and with 2
when it was called wrongly.
`;

type Verb = (from: string, to: string) => Promise<readonly string[]>;

/** What is done with how many paths; each verb gives the lines that it has to say, and throws where it failed. */
const verbs: Readonly<Record<string, { readonly paths: number; readonly run: Verb }>> = {
  backup: { paths: 2, run: backUpStore },
  check: { paths: 1, run: checkStore },
  restore: { paths: 2, run: restoreStore },
  // Of `check`, in a process of its own: what a damaged file may end.
  rows: { paths: 1, run: reportRows },
};

/**
 * Runs the command, which `args` are told without the names of Node and of the program; gives the exit code. Says what came of it on the
 * standard output, and what failed on the standard error.
 */
export async function main(args: readonly string[]): Promise<number> {
  const [room, name = '', ...paths] = args;
  if (args.length === 0 || args.includes('--help') || args.includes('-h') || (room === 'lmdb' && name === '')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const verb = room === 'lmdb' && Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (!verb || paths.length !== verb.paths) {
    const mistake = verb
      ? `lmdb ${name} takes ${verb.paths} paths, and was given ${paths.length}`
      : `there is no command "${args.slice(0, 2).join(' ')}"`;
    process.stderr.write(`taskbridge: ${mistake}.\n\n${USAGE}`);
    return 2;
  }
  try {
    const [from = '', to = ''] = paths;
    for (const line of await verb.run(from, to)) process.stdout.write(`${line}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
