import type { ContractType } from '../../machines/contract/index.ts';
import type { AttemptRef, Clock } from '../../server/ports/index.ts';
import type { Handler } from './handler.ts';
import type { WaitingBytes } from './part-writer.ts';
import type { Slot } from './slots.ts';

/** Which run it is, for logs. */
export interface RunAbout extends AttemptRef {
  readonly taskType: string;
}

/** What runs, and where. */
export interface RunOrder {
  readonly handler: Handler;
  /** What the contract says of the type, where there is one. */
  readonly type: ContractType | undefined;
  /** The run's right to work, not yet taken. */
  readonly slot: Slot;
}

/** What all runs work with. */
export interface RunDeps {
  readonly clock: Clock;
  /** Of all runs of the process. */
  readonly unsent: WaitingBytes;
  /** Resolves after a pause before a report is sent again. */
  pause(retry: number): Promise<void>;
  /** True for an error that no second try can mend. */
  isFinal(error: unknown): boolean;
  /** Told of an error that ended the task and was not thrown to tell people. */
  failed(error: unknown, about: RunAbout): void;
}
