import type { TaskExecutor } from '../ports/executor.ts';
import type { TakeRequest } from '../ports/store.ts';
import type { ExecutorCalls } from './executor-calls.ts';
import type { Rooms } from './rooms.ts';

/** What this node offers to do, of one executor. */
export interface Offer extends Pick<TakeRequest, 'types' | 'readyMax'> {
  readonly executor: TaskExecutor;
  /** To be called with the tasks that were taken: each has its place from then on, the others are free again. */
  settle(taskIds: readonly string[]): void;
}

/** What offers are made from. */
export interface OffersDeps {
  readonly executors: readonly TaskExecutor[];
  readonly rooms: Rooms;
  readonly calls: ExecutorCalls;
  /** Most tasks of one offer. */
  readonly offerMax: number;
}

/** What this node has room for, made when it is asked for: one offer for each executor, at least one altogether. */
export function* offersOf({ executors, rooms, calls, offerMax }: OffersDeps): Generator<Offer> {
  for (const executor of executors) {
    // Of several that handle a type, the first does it.
    const types = executor.types?.filter((type) => executors.find((other) => other.handles(type)) === executor) ?? 'any';
    // Work that an outside system keeps is asked after, handed answers: each by a call.
    const callsMax = executor.leased ? offerMax : calls.free(executor);
    const readyMax = Math.min(rooms.at(executor), offerMax, callsMax);
    yield { executor, types, readyMax, settle: rooms.keep(executor, readyMax) };
  }
}

/** True where this node could begin more work of an executor. */
export function hasRoom({ rooms, calls }: OffersDeps, executor: TaskExecutor): boolean {
  return rooms.at(executor) > 0 && (executor.leased || calls.free(executor) > 0);
}
