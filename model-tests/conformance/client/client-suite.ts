import type { Suite } from '../suite/case.ts';
import { delivering } from './cases/delivering.ts';
import { losing } from './cases/reconnecting.ts';
import { understanding } from './cases/understanding.ts';
import type { ClientDriver } from './driver.ts';

/** What a client means, whatever it is written in. Each case plays a server of its own to it, so that any number may run at once. */
export const clientSuite: Suite<ClientDriver> = {
  name: 'client',
  cases: [...delivering, ...losing, ...understanding],
};
