import type { LoadedTask } from '../../server/ports/index.ts';
import type { StoreDeps } from './deps.ts';
import { FIELD } from './fields.ts';
import { headNames, parseHead } from './heads.ts';
import { listOf, textOf } from './reply.ts';
import { load, loadUnless } from './scripts/index.ts';

/** A task that was loaded, and the text of its head then: no two commits leave the same one. */
interface Kept {
  readonly at: string;
  readonly loaded: LoadedTask;
}

/** Tasks that are kept as they were loaded, at most, and characters of one. */
const TASKS_MAX = 256;
const CHARACTERS_MAX = 16 * 1024;

/** The tasks that were loaded last. One that has not changed since is not read again: Redis says that its head is the same, and the same object is given. */
export class LoadedTasks {
  /** The one that was asked for longest ago comes first. */
  readonly #kept = new Map<string, Kept>();

  /** What is known of a task; undefined for nothing. */
  known(taskId: string): Kept | undefined {
    return this.#kept.get(taskId);
  }

  /** Keeps a task, where it is small. */
  keep(taskId: string, kept: Kept, characters: number): void {
    this.#kept.delete(taskId);
    if (characters > CHARACTERS_MAX) return;
    this.#kept.set(taskId, kept);
    if (this.#kept.size <= TASKS_MAX) return;
    for (const oldest of this.#kept.keys()) return void this.#kept.delete(oldest);
  }

  /** Forgets a task. */
  forget(taskId: string): void {
    this.#kept.delete(taskId);
  }
}

/** Reads all fields of a task; the very object of the last time where it has not changed since. */
export async function loadTask({ connection, keys, heads, loads }: StoreDeps, taskId: string): Promise<LoadedTask | undefined> {
  const known = loads.known(taskId);
  const reply = known ? await connection.run(loadUnless, [keys.task(taskId)], [known.at]) : await connection.run(load, [keys.task(taskId)]);
  if (known && reply === null) {
    loads.keep(taskId, known, 0);
    return known.loaded;
  }
  const fields: [string, string][] = [];
  const own = new Map<string, string>();
  let characters = 0;
  const texts = listOf(reply).map(textOf);
  for (let at = 0; at < texts.length; at += 2) {
    const [name = '', value = ''] = [texts[at], texts[at + 1]];
    characters += value.length;
    if (name.startsWith(FIELD)) fields.push([name.slice(FIELD.length), value]);
    else own.set(name, value);
  }
  const head = parseHead(headNames.map((name) => own.get(name)));
  if (!head) {
    loads.forget(taskId);
    return undefined;
  }
  heads.note(taskId, head);
  const loaded = { revision: head.revision, fields: Object.fromEntries(fields) };
  loads.keep(taskId, { at: own.get('at') ?? '', loaded }, characters);
  return loaded;
}
