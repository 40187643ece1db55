import { readFile } from 'node:fs/promises';
import type { CheckpointStore } from '../checkpoints/store.ts';
import { replaceFile } from './replace-file.ts';

/** Where the file is. */
export interface FileCheckpointsOptions {
  /** Made with its folders when the first checkpoint is written. One process writes it. */
  readonly path: string;
}

/**
 * Keeps checkpoints in one JSON file. Every change is written beside it and renamed over it, so that a crash leaves the old file or the new
 * one. A file that cannot be read rejects every call, and is left as it is.
 */
export function fileCheckpoints({ path }: FileCheckpointsOptions): CheckpointStore {
  let texts: Map<string, string> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let wanted = 0;
  let written = 0;

  async function load(): Promise<Map<string, string>> {
    if (texts) return texts;
    let content: string;
    try {
      content = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      content = '{}';
    }
    const entries = Object.entries(JSON.parse(content) as Record<string, unknown>);
    texts = new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
    return texts;
  }

  async function save(upTo: number): Promise<void> {
    // A later change that was made meanwhile was written with an earlier one.
    if (written >= upTo) return;
    const included = wanted;
    await replaceFile(path, JSON.stringify(Object.fromEntries(texts ?? [])));
    written = included;
  }

  async function change(apply: (all: Map<string, string>) => void): Promise<void> {
    await inTurn(async () => apply(await load()));
    wanted += 1;
    const mine = wanted;
    await inTurn(() => save(mine));
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = turn.then(work, work);
    turn = next;
    return next;
  }

  return {
    read: (key) => inTurn(async () => (await load()).get(key)),
    write: (key, text) => change((all) => void all.set(key, text)),
    remove: (key) => change((all) => void all.delete(key)),
  };
}
