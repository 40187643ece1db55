import { invalidArgument } from './errors.ts';

/** Names of options, complete by type: `{ … } satisfies KnownOptions<T>` fails to compile where one is missing. */
export type KnownOptions<T> = Readonly<Record<keyof T, true>>;

/** Refuses what is no option, by its name: a misspelt one would be taken for one that was left out. `where` goes before the name. */
export function refuseUnknown(given: object, known: object, where = ''): void {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(known, name)) throw invalidArgument(`${where}${name} is no option; there are ${Object.keys(known).join(', ')}.`);
}

/** Refuses what is left of a request when all that it may have was taken out of it: nothing, by its type. */
export function refuseRest(rest: Readonly<Record<string, never>>): void {
  for (const name of Object.keys(rest)) throw invalidArgument(`${name} is no field of this request.`);
}

/** Fills in the defaults of `limits`. Refuses an unknown one, and what is no whole number, or none above 0 but for `mayBeZero`. */
export function readLimits<L extends object>(given: Partial<L> | undefined, defaults: L, mayBeZero?: keyof L): L {
  refuseUnknown(given ?? {}, defaults, 'limits.');
  const limits = { ...defaults, ...given };
  for (const [name, value] of Object.entries(limits) as [string, unknown][])
    refuseNoNumber(`limits.${name}`, value, name === mayBeZero ? 0 : 1);
  return limits;
}

/** Refuses, by its name, what is no whole number from `least` on. */
export function refuseNoNumber(name: string, value: unknown, least: 0 | 1): void {
  if (!Number.isSafeInteger(value) || Number(value) < least)
    throw invalidArgument(`${name} must be ${least === 0 ? '0 or ' : ''}a positive whole number, not ${String(value)}.`);
}
