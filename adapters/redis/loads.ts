import type { LoadedTask } from '../../server/ports/index.ts';
import type { StoreDeps } from './deps.ts';
import { FIELD } from './fields.ts';
import { headNames, parseHead } from './heads.ts';
import { CACHED_SIZE_MAX } from './read-cache.ts';
import { listOf, textOf } from './reply.ts';
import { load } from './scripts/index.ts';

/** Reads all fields of a task; the very object of the last time where it has not changed since. */
export function loadTask(deps: StoreDeps, taskId: string): Promise<LoadedTask | undefined> {
  const ask = () => askTask(deps, taskId);
  return deps.turnLoads ? deps.turnLoads.share(taskId, ask) : ask();
}

async function askTask({ connection, keys, heads, loads }: StoreDeps, taskId: string): Promise<LoadedTask | undefined> {
  const known = loads.known(taskId);
  const reply = await connection.run(load, [keys.task(taskId)], [known?.at ?? '']);
  if (known && reply === null) return loads.again(taskId, known);
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
  const loaded = head && { revision: head.revision, fields: Object.fromEntries(fields) };
  if (loaded && characters <= CACHED_SIZE_MAX) loads.keep(taskId, { at: own.get('at') ?? '', value: loaded });
  else loads.forget(taskId);
  if (head) heads.note(taskId, head);
  return loaded;
}
