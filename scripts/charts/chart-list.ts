import type { AnyStateMachine } from 'xstate';
import { entryMachine } from '../../client/outbox/entry.machine.ts';
import { outboxMachine } from '../../client/outbox/outbox.machine.ts';
import { sharedStreamDescriptions, sharedStreamPhases } from '../../client/streams/shared-stream.phases.ts';
import { tabMachine } from '../../client/tabs/tab.machine.ts';
import { channelDescriptions, channelPhases } from '../../client/transports/channel.phases.ts';
import { multiplexedDescriptions, multiplexedPhases } from '../../client/transports/multiplexed.phases.ts';
import { suspensionMachine } from '../../machines/suspension/suspension.machine.ts';
import { taskMachine } from '../../machines/task/task.machine.ts';
import { connectionMachine } from '../../machines/transport/connection.machine.ts';
import { recoveryMachine } from '../../machines/transport/recovery.machine.ts';
import { transportMachine } from '../../machines/transport/transport.machine.ts';
import { phaseChart } from '../../model-tests/charts/phase-chart.ts';
import { attemptMachine } from '../../server/attempt/attempt.machine.ts';
import { viewerDescriptions, viewerPhases } from '../../server/live/viewer.phases.ts';

/** Every chart that is drawn, by the name of its files, in the order in which a reader meets them. */
export const allCharts: Readonly<Record<string, AnyStateMachine>> = {
  task: taskMachine,
  suspension: suspensionMachine,
  attempt: attemptMachine,
  viewer: phaseChart(viewerPhases, viewerDescriptions),
  transport: transportMachine,
  connection: connectionMachine,
  recovery: recoveryMachine,
  outbox: outboxMachine,
  entry: entryMachine,
  tab: tabMachine,
  channel: phaseChart(channelPhases, channelDescriptions),
  multiplexed: phaseChart(multiplexedPhases, multiplexedDescriptions),
  'shared-stream': phaseChart(sharedStreamPhases, sharedStreamDescriptions),
};

/** Those whose alphabet has two halves: intents that change nothing, and facts that move. */
export const recordedCharts: ReadonlySet<string> = new Set(['task', 'suspension', 'attempt']);
