/**
 * The conformance kit: what a store, an attachment store, an executor, a server and a client mean, as cases that anybody can run, and a wire that
 * misbehaves on demand. Node only; needs no test runner.
 *
 * @packageDocumentation
 */
export { chaosProxy, type ChaosProxy, type ChaosProxyOptions } from './chaos/proxy.ts';
export type { ChaosConnection, Target } from './chaos/connection.ts';
export type { Direction, Impairment } from './chaos/impairment.ts';
export { clientSuite } from './client/client-suite.ts';
export type { ClientDriver, ClientTransport, DrivenClient, DrivenClientOptions, DrivenObservation } from './client/driver.ts';
export { linesDriver, serveLines, type DriverLine, type DriverRequest } from './client/json-lines.ts';
export {
  startScriptedServer,
  type Caller,
  type ScriptedRefusal,
  type ScriptedServer,
  type ServerScript,
  type Visit,
} from './client/scripted-server.ts';
export { executorSuite, type ExecutorUnderTest } from './executor/executor-suite.ts';
export { startHost, type HostOptions, type RunningHost } from './executor/host.ts';
export { play, type ScriptTask, type ScriptDeps, type ScriptStep } from './script/index.ts';
export type { WireFact } from './server/calls.ts';
export { contractWork, type ContractTask, type ContractDeps } from './server/contract.ts';
export { serverSuite } from './server/server-suite.ts';
export type { BrowserAccess, Owner, ServerProfile, ServerUnderTest } from './server/server-under-test.ts';
export { attachmentStoreSuite, type AttachmentStoreUnderTest } from './store/attachment-store-suite.ts';
export { storeSuite, type StoreUnderTest } from './store/store-suite.ts';
export { failureClasses, type Case, type FailureClass, type Suite } from './suite/case.ts';
export { runSuite, type CaseResult, type Closable, type RunOptions } from './suite/run.ts';
export { defineTests, type TestOptions, type TestRunner } from './suite/tests.ts';
