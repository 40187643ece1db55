/**
 * For an app's own tests, and its debug menu: a server in memory whose tasks do what the test says, and a switch that makes transports fail.
 * Runs wherever the client does, without a network and without a test runner.
 *
 * @packageDocumentation
 */
export type { ScriptedTask } from './scripted-task.ts';
export { scriptedTransports, type ScriptedTransports, type ScriptedTransportsOptions } from './scripted-transports.ts';
export type { ScriptedCall, ScriptedCallRefusal, ScriptedPolicy, ScriptedStart } from './scripted-world.ts';
export { failingTransports, transportSwitch, type TransportSwitch } from './transport-switch.ts';
export type { ReportIntent } from '../../machines/index.ts';
