import type { Clock, OwnerRegistry } from '../../server/ports/index.ts';
import { glanceAt } from './glance.ts';
import type { Rows } from './head.ts';
import { stateOf } from './keys.ts';
import { forgetName, readNames } from './names.ts';
import { readRecord } from './owner-record.ts';
import { changeCounts, readOwners, writeShares } from './shares.ts';
import { countStates, readInState } from './states.ts';
import type { Writer } from './writer.ts';

/** What an owner has, and tasks by state. What is counted is written on a full disk too, as far as there is room: nothing is made room by refusing it. */
export function ownerRegistryOf(needOpen: () => { readonly rows: Rows; readonly writer: Writer }, clock: Clock): OwnerRegistry {
  return {
    async names(owner, limit, after) {
      return readNames(needOpen().rows, owner, limit, after);
    },

    async glance(requestKeys, fieldNames) {
      return glanceAt(needOpen().rows, requestKeys, fieldNames);
    },

    async forget(owner, name) {
      const { rows, writer } = needOpen();
      await writer.write(() => forgetName(rows, owner, name));
    },

    async count(changes) {
      const { rows, writer } = needOpen();
      return Promise.all(changes.map((change) => writer.write(() => changeCounts(rows, change, clock.now()))));
    },

    async shares(owner) {
      const { shares, version, countedAt } = readRecord(needOpen().rows, owner);
      return { shares, version, countedAt };
    },

    async setShares(owner, shares, ifVersion) {
      const { rows, writer } = needOpen();
      return writer.write(() => writeShares(rows, owner, shares, ifVersion, clock.now()));
    },

    async owners(limit, after) {
      return readOwners(needOpen().rows, limit, after);
    },

    async inState(state, taskType, limit, after) {
      return readInState(needOpen().rows, stateOf(state, taskType), limit, after);
    },

    async counts() {
      return countStates(needOpen().rows);
    },
  };
}
