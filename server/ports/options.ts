/** Names of options, complete by type: `{ … } satisfies OptionNames<T>` does not compile where one is missing. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** Refuses what is no option, by its name, with a `TypeError`: a misspelt one would be taken for one that was left out. `whose` says of what it is none. */
export function assertOptionNames(given: object, names: object, whose: string): void {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(names, name)) throw new TypeError(`${name} is no option of ${whose}; there are ${Object.keys(names).join(', ')}.`);
}
