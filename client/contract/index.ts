/**
 * The client with the types of a contract, by name. `createTaskBridgeClient<typeof tasks>()` makes one; all of it is for the compiler.
 *
 * @packageDocumentation
 */
export {
  withContract,
  type ContractAct,
  type ContractClient,
  type ContractList,
  type ContractObservation,
  type ContractSnapshot,
  type ContractStart,
  type ContractView,
  type TaskIdOf,
} from './contract-client.ts';
