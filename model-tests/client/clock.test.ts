import { platformClock } from 'taskbridge/client';
import { expect, test, vi } from 'vitest';

test.each([2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY])(
  'a limit of %d ms is one of 24 days, and none that is over at once, as the platform’s timers would have it',
  (ms) => {
    const asked = vi.spyOn(globalThis, 'setTimeout');
    platformClock.clearTimeout(platformClock.setTimeout(() => undefined, ms));
    expect(asked).toHaveBeenCalledWith(expect.anything(), 2 ** 31 - 1);
    asked.mockRestore();
  },
);
