/**
 * Tasks in the memory of this process: the executable meaning of the `Store` port, for tests, simulations and hosts that may forget.
 *
 * @packageDocumentation
 */
export { memoryAttachments } from './attachments.ts';
export { refuseBrokenCommit, type LanesBefore, type LogEnd } from './commit.ts';
export { isSameFence, judgeFlush, laneConflict, refuseLargeValue, type OpenLane } from './lane-rules.ts';
export { createMemory, type Memory } from './memory.ts';
export { memoryStore, type MemoryStoreOptions } from './store.ts';
export { createLocalTails, type LocalTails } from './tail.ts';
