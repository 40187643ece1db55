import { contractType, type ContractType, type TaskContract } from '../../machines/contract/index.ts';
import type { TaskExecutor } from '../ports/executor.ts';

/** What is known of types of tasks: the contract of the executor that handles one, else the host's. */
export interface Contracts {
  /** Undefined for a type of which nothing is said: anything goes. */
  typeOf(taskType: string): ContractType | undefined;
}

/** Puts together what executors and the host say. */
export function contractsOf(executors: readonly TaskExecutor[], contract: TaskContract | undefined): Contracts {
  return {
    typeOf(taskType) {
      const said = executors.find((executor) => executor.handles(taskType))?.contract ?? contract;
      return said && contractType(said, taskType);
    },
  };
}
