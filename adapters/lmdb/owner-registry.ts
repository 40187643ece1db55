import type { Clock, OwnerRegistry, Shares } from '../../server/ports/index.ts';
import { glanceAt } from './glance.ts';
import type { Rows } from './head.ts';
import { tasksIn } from './keys.ts';
import { forgetName, readNames } from './names.ts';
import { readRecord } from './owner-record.ts';
import { changeCounts, readOwners, writeShares } from './shares.ts';
import { countStates, readInState } from './states.ts';
import type { Writer } from './writer.ts';

/** Changes of counts that one call asks for at once: five milliseconds of the event loop. */
const CHANGES_AT_ONCE = 100;

/** What an owner has, and tasks by state. Counts are written beyond `mapBytesMax` too: to refuse them makes no room. */
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
      const counted: Shares[] = [];
      for (let from = 0; from < changes.length; from += CHANGES_AT_ONCE) {
        const slice = changes.slice(from, from + CHANGES_AT_ONCE);
        counted.push(...(await Promise.all(slice.map((change) => writer.write(() => changeCounts(rows, change, clock.now()))))));
      }
      return counted;
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
      return readInState(needOpen().rows, tasksIn(state, taskType), limit, after);
    },

    async counts() {
      return countStates(needOpen().rows);
    },
  };
}
