import { afterAll, beforeAll } from 'vitest';
import { temporalExecutor } from '../../adapters/temporal/index.ts';
import { describeExecutor } from '../conformance/executor-suite.ts';
import { temporalWorld, type TemporalWorld } from './world.ts';

let world: TemporalWorld;

beforeAll(async () => {
  world = await temporalWorld();
}, 120_000);
afterAll(() => world?.close());

const open = (options: object) => () => {
  const { client, taskQueue, store } = world;
  return { executor: temporalExecutor({ client, taskQueue, workflow: { scripted: 'scripted' }, ...options }), store };
};

describeExecutor('temporal', open({}));
describeExecutor(
  'temporal, told by signals and updates',
  open({ cancellation: 'signal', answers: 'update', workflowIdPrefix: 'signalled' }),
);
