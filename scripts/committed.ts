import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Keeps generated files that are committed, the only ones of a folder unless it `hasOthers`. Writes them; or, with `--check` on the command line, changes nothing and fails when
 * one differs, is missing or is no longer generated.
 */
export function keepCommitted(folder: string, files: ReadonlyMap<string, string>, command: string, hasOthers = false): void {
  const path = join(root, folder);
  mkdirSync(path, { recursive: true });
  const surplus = hasOthers ? [] : readdirSync(path).filter((name) => !files.has(name) && name !== 'README.md');
  if (process.argv.includes('--check')) {
    const stale = [...files].filter(([name, text]) => read(join(path, name)) !== text).map(([name]) => name);
    const differing = [...stale, ...surplus].sort();
    if (differing.length > 0) {
      console.error(`${folder} differs from what the source says: ${differing.join(', ')}. Run \`${command}\` and commit what it writes.`);
      process.exitCode = 1;
    } else console.log(`${folder}: ${files.size} files, as the source says`);
    return;
  }
  for (const name of surplus) rmSync(join(path, name), { recursive: true });
  for (const [name, text] of files) writeFileSync(join(path, name), text);
  console.log(`${relative('.', path) || '.'}: ${files.size} files written`);
}

/** What is committed of one, if anything. */
export function committedText(folder: string, name: string): string | undefined {
  return read(join(root, folder, name));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
