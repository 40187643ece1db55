import type { Observation } from '../../client/index.ts';
import type { PartPort } from '../../client/parts/index.ts';

/** The parts of one task, as the connections of a client fill them. */
export type PartRecord = ReturnType<ReturnType<PartPort['open']>['join']>['record'];

/** Parts of a client that take some of what they are told in another way: the same for all who share a record. */
export function withRecords(port: PartPort, change: (record: PartRecord, observation: Observation) => Partial<PartRecord>): PartPort {
  return {
    open(clock) {
      const parts = port.open(clock);
      const wrapped = new WeakMap<PartRecord, PartRecord>();
      return {
        join(observation, ...rest) {
          const joined = parts.join(observation, ...rest);
          const { record } = joined;
          const known = wrapped.get(record) ?? wrap(record, change(record, observation));
          wrapped.set(record, known);
          return { ...joined, record: known };
        },
      };
    },
  };
}

function wrap(record: PartRecord, others: Partial<PartRecord>): PartRecord {
  const plain: PartRecord = {
    get cursors() {
      return record.cursors;
    },
    doubts: (ending) => record.doubts(ending),
    frame: (frame, connection) => record.frame(frame, connection),
    fact: (fact) => record.fact(fact),
    snapshot: (task) => record.snapshot(task),
    reset: () => record.reset(),
    ended: () => record.ended(),
  };
  return Object.defineProperties(plain, Object.getOwnPropertyDescriptors(others));
}
