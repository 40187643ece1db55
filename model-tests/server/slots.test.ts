import { expect, test } from 'vitest';
import { Slot, Slots } from '../../adapters/in-process/slots.ts';

test('a run that has ended takes no slot any more, whoever answers it then', async () => {
  const slots = new Slots(1, () => undefined);
  const [ended, next] = [new Slot(slots), new Slot(slots)];
  expect(await ended.begin()).toBe(true);
  ended.end();
  expect(await ended.goOn()).toBe(false);
  expect(await next.begin()).toBe(true);
});
