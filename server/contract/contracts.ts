import { contractType, type ContractType, type TaskContract } from '../../machines/contract/index.ts';
import type { TaskExecutor } from '../ports/executor.ts';

/** What is known of types of tasks: the contract of the executor that handles one, else the host's. */
export interface Contracts {
  /** Undefined for a type of which nothing is said: anything goes. */
  typeOf(taskType: string): ContractType | undefined;
  /** The types that are run here, as far as anybody names them, in order. */
  names(): readonly string[];
}

/** Puts together what executors and the host say. */
export function contractsOf(executors: readonly TaskExecutor[], contract: TaskContract | undefined): Contracts {
  const known = [contract, ...executors.map((executor) => executor.contract)].flatMap((one) => (one ? Object.keys(one.types) : []));
  const names = new Set([...executors.flatMap(({ types = [] }) => types), ...known]);
  return {
    names: () => [...names].filter((taskType) => executors.some((executor) => executor.handles(taskType))).sort(),
    typeOf(taskType) {
      const said = executors.find((executor) => executor.handles(taskType))?.contract ?? contract;
      return said && contractType(said, taskType);
    },
  };
}
