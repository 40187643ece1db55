/**
 * What a store of one's own is written by: the port, and what goes in and out of it. `taskbridge-conformance` tries one.
 *
 * @packageDocumentation
 */
export {
  LATEST_BYTES_MAX,
  type ClosedLane,
  type Epoch,
  type Fence,
  type FlushOutcome,
  type LaneChanges,
  type LaneFlush,
  type Lanes,
  type NewestOfTask,
  type PartPage,
} from '../ports/lanes.ts';
export {
  shareNames,
  type CountChange,
  type Glance,
  type Listed,
  type Name,
  type OwnerCounts,
  type OwnerRegistry,
  type OwnersPage,
  type Shares,
} from '../ports/owners.ts';
export type {
  Commit,
  Created,
  Entry,
  EventStore,
  Fields,
  HeldPage,
  Lease,
  LoadedTask,
  LogPage,
  NewTask,
  Plan,
  PlannedWork,
  Renewal,
  Store,
  Tail,
  TailListener,
  TakenTasks,
  TakeRequest,
  TaskRegistry,
  WorkRegistry,
} from '../ports/store.ts';
