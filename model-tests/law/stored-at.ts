import type { StoredAggregate, StoredSuspension, StoredTask } from '../../machines/index.ts';
import { parseEventId } from '../../machines/wire/index.ts';
import type { Fields, Store } from '../../server/index.ts';

/** A store that notes, at every commit with facts, what it then holds of the task's charts, by the id of the last fact. */
export function storedAt(store: Store, noted: Map<string, StoredAggregate>): Store {
  return {
    ...store,
    async append(commit) {
      const outcome = await store.append(commit);
      const last = commit.facts.at(-1)?.eventId;
      if (outcome === 'committed' && last !== undefined && parseEventId(last))
        noted.set(last, storedOf((await store.load(commit.taskId))?.fields ?? {}));
      return outcome;
    },
  };
}

/** Reads the charts out of a task's fields. */
export function storedOf(fields: Fields): StoredAggregate {
  const suspensions = Object.entries(fields).filter(([name]) => name.startsWith('s:'));
  return {
    task: JSON.parse(fields.task ?? '') as StoredTask,
    suspensions: Object.fromEntries(suspensions.map(([name, json]) => [name.slice(2), JSON.parse(json) as StoredSuspension])),
  };
}
