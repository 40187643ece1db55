/** Says what a value must be; undefined where it is that. */
export type SettingRule = (value: unknown) => string | undefined;

/** A whole number within these bounds. */
export function wholeNumber(least: number, most: number): SettingRule {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;
}

/** True or false. */
export const flag: SettingRule = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

/** Text of that form; `what` says it in words. */
export function matching(form: RegExp, what: string): SettingRule {
  return (value) => (typeof value === 'string' && form.test(value) ? undefined : `must be ${what}`);
}

/**
 * Fills in the defaults, and throws a `RangeError` that says which setting is wrong, and why. Undefined is as good as absent; a name that is
 * none of the defaults' is refused, since somebody believes that it does something.
 */
export function checkedSettings<T extends object>(
  place: string,
  given: Partial<T> = {},
  defaults: T,
  rules: Readonly<Record<keyof T, SettingRule>>,
): T {
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  for (const [name, value] of Object.entries(known)) {
    if (!Object.hasOwn(defaults, name))
      throw new RangeError(`${place}.${name} is no setting of a stream; known are ${Object.keys(defaults).join(', ')}.`);
    const fault = rules[name as keyof T](value);
    if (fault !== undefined)
      throw new RangeError(`${place}.${name} (${typeof value === 'string' ? JSON.stringify(value) : String(value)}) ${fault}.`);
  }
  return { ...defaults, ...known };
}
