import type { Rows } from './head.ts';
import { layoutKey } from './keys.ts';

/**
 * The version of the rows of a folder, which stands as `v` in a row of its own; without it they are of 0.1.0. Version 2 reads the rows of 0.1.0 and writes
 * each task anew with its next commit, so that a folder may have both.
 */
export const LMDB_LAYOUT_VERSION = 2;

/** Throws where a newer release wrote a folder. */
export function checkLayout(rows: Rows, path: string): void {
  const layout = layoutOf(rows);
  if (layout > LMDB_LAYOUT_VERSION)
    throw new Error(
      `The LMDB store at ${path} has layout ${layout}, and this release knows layouts up to ${LMDB_LAYOUT_VERSION}. Open it with the release that wrote it, or a newer one.`,
    );
}

/** Notes in a folder that its rows may be of this layout. */
export function markLayout(rows: Rows): void {
  if (layoutOf(rows) === LMDB_LAYOUT_VERSION) return;
  rows.transactionSync(() => rows.putSync(layoutKey, Buffer.from(JSON.stringify({ v: LMDB_LAYOUT_VERSION }))));
}

function layoutOf(rows: Rows): number {
  const row = rows.get(layoutKey);
  // Written above only.
  return row ? (JSON.parse(row.toString()) as { readonly v: number }).v : 1;
}
