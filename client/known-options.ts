import { TaskBridgeClientError } from './errors.ts';

/** Names of options, complete by type: `{ … } satisfies KnownOptions<T>` fails to compile where one is missing. */
export type KnownOptions<T> = Readonly<Record<keyof T, true>>;

/** Refuses what is no option, by its name: a misspelt one would be taken for one that was left out. `where` goes before the name. */
export function refuseUnknown(given: object, known: object, where = ''): void {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(known, name))
      throw new TaskBridgeClientError('INVALID_ARGUMENT', `${where}${name} is no option; there are ${Object.keys(known).join(', ')}.`);
}
