/**
 * For a host's own tests: a whole bridge in memory, whose time the test moves and whose work plays a script. Needs no server, no network and no
 * test runner.
 *
 * @packageDocumentation
 */
export { simulatedClock, type SimulatedClock } from './simulated-clock.ts';
export { createTestBridge, type TestBridge, type TestBridgeOptions } from './test-bridge.ts';
export type { WorkScript, WorkStep } from './work-script.ts';
