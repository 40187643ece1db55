import { expect, test } from 'vitest';
import { runRollingRestart } from './rolling-restart.ts';

test('hosts behind a balancer are deployed one after the other, and nobody loses anything or stays on a lower transport', async () => {
  const report = await runRollingRestart({ tasks: 12, viewers: 30, paceMs: 250, spreadMs: 1000, say: () => undefined });
  expect(report).toMatchObject({ wrong: [], failed: [], transports: { ws: 30 } });
  // Nobody was sent away in vain.
  expect(report.restarts.map(({ sentAway }) => sentAway > 0)).toEqual([true, true]);
});
