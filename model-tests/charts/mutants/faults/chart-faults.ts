import { attemptFaults } from './attempt-faults.ts';
import { connectionFaults } from './connection-faults.ts';
import type { FaultsOf } from './fault.ts';
import { entryFaults, outboxFaults } from './outbox-faults.ts';
import { channelFaults, multiplexedFaults, sharedStreamFaults, viewerFaults } from './phase-faults.ts';
import { endingFaults, recoveryFaults } from './recovery-faults.ts';
import { suspensionFaults } from './suspension-faults.ts';
import { tabFaults } from './tab-faults.ts';
import { taskFaults } from './task-faults.ts';
import { ladderFaults, transportFaults, wordFaults } from './transport-faults.ts';

/** Every fault that somebody thought of. */
export const allFaults: readonly FaultsOf[] = [
  taskFaults,
  suspensionFaults,
  attemptFaults,
  outboxFaults,
  entryFaults,
  tabFaults,
  transportFaults,
  ladderFaults,
  wordFaults,
  connectionFaults,
  recoveryFaults,
  endingFaults,
  viewerFaults,
  multiplexedFaults,
  channelFaults,
  sharedStreamFaults,
];
