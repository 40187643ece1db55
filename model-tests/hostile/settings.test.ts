import { httpDefaults, liveDefaults, taskDefaults } from 'taskbridge/server';
import { describe, expect, it } from 'vitest';
import { httpOptions } from '../../server/http/options.ts';
import { liveOptions } from '../../server/live/options.ts';
import { taskSettings } from '../../server/task/settings.ts';

/** A timer that is set for longer fires at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

const doors = {
  tasks: { defaults: taskDefaults, check: (name: string, value: unknown) => taskSettings({ [name]: value }) },
  live: { defaults: liveDefaults, check: (name: string, value: unknown) => liveOptions({ [name]: value }) },
  http: { defaults: httpDefaults, check: (name: string, value: unknown) => httpOptions({ [name]: value }) },
};
const numbers = Object.entries(doors).flatMap(([door, { defaults, check }]) =>
  Object.entries(defaults).flatMap(([name, value]: [string, unknown]) => (typeof value === 'number' ? [{ door, name, value, check }] : [])),
);

describe('an option', () => {
  it.each(numbers)('$name (of $door) is a whole number that is not negative', ({ name, value, check }) => {
    expect(() => check(name, value)).not.toThrow();
    for (const wrong of [-1, 0.5, Number.NaN, -Infinity, '5', null, 2 ** 53])
      expect(() => check(name, wrong), String(wrong)).toThrow(new RegExp(`^${name} `));
  });

  it.each(numbers)('$name (of $door) is finite, unless it is a share of an owner', ({ door, name, check }) => {
    const endless = expect(() => check(name, Infinity));
    if (door === 'tasks' && name.endsWith('PerOwnerMax')) endless.not.toThrow();
    else endless.toThrow(new RegExp(`^${name} `));
  });

  const waits = numbers.filter(
    ({ door, name }) => name.endsWith('Ms') && (door !== 'tasks' || ['executorTimeoutMs', 'reconcileMs'].includes(name)),
  );
  it.each(waits)('$name (of $door) is no longer than a timer can wait', ({ name, check }) =>
    expect(() => check(name, DELAY_MS_MAX + 1)).toThrow(new RegExp(`^${name} `)),
  );

  it('retainedAfterEndMs may be a year: it is a due time, not a timer', () =>
    expect(() => taskSettings({ retainedAfterEndMs: 365 * 24 * 60 * 60 * 1000 })).not.toThrow());

  it.each(Object.entries(doors))('of %s with an unknown name is refused, and those of the prototype with it', (_door, { check }) => {
    for (const name of ['heartBeatMs', 'constructor', 'toString', '__proto__']) expect(() => check(name, 1)).toThrow(name);
  });
});
