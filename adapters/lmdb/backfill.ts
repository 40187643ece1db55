import type { NameBackfill } from '../../server/ports/index.ts';
import type { Rows } from './head.ts';
import { after, backfillKey, ownerMarkOf, requestRowKey } from './keys.ts';
import { namedAt } from './names.ts';
import { keysInSlices } from './page-reads.ts';
import type { Writer } from './writer.ts';

/** Finds tasks of 0.1.0, which wrote no names. */
export function backfillOf(needOpen: () => { readonly rows: Rows; readonly writer: Writer }): NameBackfill {
  return {
    async requests(limit, last) {
      const all = requestRowKey();
      const start = last === undefined ? all : requestRowKey(last);
      const keys = await keysInSlices(needOpen().rows, { start, end: after(all) }, limit);
      const requestKeys = keys.map(([, requestKey]) => String(requestKey));
      return { requestKeys, next: keys.length < limit ? undefined : requestKeys.at(-1) };
    },

    async missing(names) {
      const { rows } = needOpen();
      return names.map(({ owner, requestKey }) => namedAt(rows, ownerMarkOf(owner), requestKey) === undefined);
    },

    async kept() {
      return needOpen().rows.get(backfillKey)?.toString();
    },

    async keep(text) {
      const { rows, writer } = needOpen();
      await writer.write(() => ({ result: undefined, change: () => void rows.putSync(backfillKey, Buffer.from(text)) }));
    },
  };
}
