/** Writes what each chart is, as JSON (its literal, or what its table of phases says, importable into Stately) and as a Mermaid diagram. `--check` only compares. */
import type { AnyStateMachine } from 'xstate';
import { entryMachine } from '../client/outbox/entry.machine.ts';
import { outboxMachine } from '../client/outbox/outbox.machine.ts';
import { sharedStreamDescriptions, sharedStreamPhases } from '../client/streams/shared-stream.phases.ts';
import { tabMachine } from '../client/tabs/tab.machine.ts';
import { channelDescriptions, channelPhases } from '../client/transports/channel.phases.ts';
import { multiplexedDescriptions, multiplexedPhases } from '../client/transports/multiplexed.phases.ts';
import { suspensionMachine } from '../machines/suspension/suspension.machine.ts';
import { taskMachine } from '../machines/task/task.machine.ts';
import { connectionMachine } from '../machines/transport/connection.machine.ts';
import { recoveryMachine } from '../machines/transport/recovery.machine.ts';
import { transportMachine } from '../machines/transport/transport.machine.ts';
import { phaseChart } from '../model-tests/charts/phase-chart.ts';
import { attemptMachine } from '../server/attempt/attempt.machine.ts';
import { viewerDescriptions, viewerPhases } from '../server/live/viewer.phases.ts';
import { keepCommitted } from './committed.ts';
import { chartJson, chartMermaid } from './chart-text.ts';

const charts: Readonly<Record<string, AnyStateMachine>> = {
  attempt: attemptMachine,
  channel: phaseChart(channelPhases, channelDescriptions),
  connection: connectionMachine,
  entry: entryMachine,
  multiplexed: phaseChart(multiplexedPhases, multiplexedDescriptions),
  outbox: outboxMachine,
  recovery: recoveryMachine,
  'shared-stream': phaseChart(sharedStreamPhases, sharedStreamDescriptions),
  suspension: suspensionMachine,
  tab: tabMachine,
  task: taskMachine,
  transport: transportMachine,
  viewer: phaseChart(viewerPhases, viewerDescriptions),
};

const files = new Map<string, string>();
for (const [name, machine] of Object.entries(charts)) {
  files.set(`${name}.json`, chartJson(machine));
  files.set(`${name}.mmd`, chartMermaid(machine));
}
keepCommitted('docs/charts', files, 'npm run charts');
