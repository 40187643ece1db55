import { afterAll, beforeAll, describe, it } from 'vitest';
import { temporalExecutor } from '../../adapters/temporal/index.ts';
import { defineTests, executorSuite } from '../conformance/index.ts';
import { temporalHarness, type TemporalHarness } from './temporal-harness.ts';
import { patience } from '../support/patience.ts';

let world: TemporalHarness;

beforeAll(async () => {
  world = await temporalHarness();
}, patience(120_000));
afterAll(() => world?.close());

const open = (options: object) => async () => {
  const { client, taskQueue, store } = world;
  return { executor: temporalExecutor({ client, taskQueue, workflow: { scripted: 'scripted' }, ...options }), store };
};

defineTests({ describe, it }, executorSuite, 'temporal', open({}));
defineTests(
  { describe, it },
  executorSuite,
  'temporal, told by signals and updates',
  open({ cancellation: 'signal', answers: 'update', workflowIdPrefix: 'signalled' }),
);
