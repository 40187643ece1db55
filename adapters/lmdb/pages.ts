import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { arch, endianness } from 'node:os';

// LMDB's data file, as far as it has to be read without LMDB: format 2, on 64 bits.
//
//     page:  number (8), transaction (8), pad (2), flags (2), lower (2), upper (2), then offsets of nodes (2 each), or data
//     meta:  magic (4), version (4), address (8), map size (8), two trees (48 each), last page (8), transaction (8)
//     tree:  pad (4), which is the size of a page in the first, flags (2), depth (2), counts (4 × 8), root (8)
//     node:  low (2), high (2), flags (2), key size (2), key, data. In a branch the first three are the page of a child

const HEADER_BYTES = 24;
const META_BYTES = HEADER_BYTES + 144;
const MAGIC = 0xbeefc0de;
const FORMAT = 2;
const [BRANCH, LEAF, OVERFLOW, META] = [0x01, 0x02, 0x04, 0x08];
const NODE_BYTES = 8;
/** The flag of a node whose value has pages of its own. */
const BIG = 0x01;
/** An empty tree has no root. */
const NOTHING = 0xffff_ffff_ffff_ffffn;
const isLittleEndian = endianness() === 'LE';

/** What the newest of the two meta pages says. */
export interface Meta {
  readonly pageBytes: number;
  readonly transaction: bigint;
  readonly lastPage: bigint;
  /** Of the free pages and of the rows. */
  readonly roots: readonly bigint[];
}

/** A data file that is open to be looked at. */
export interface DataFile {
  readonly bytes: number;
  /** Throws a {@link PageFault}. */
  meta(): Meta;
  /** Looks at one page that a tree leads to, and gives the pages that it leads to. Throws a {@link PageFault}. */
  follow(page: bigint, meta: Meta): readonly bigint[];
  close(): void;
}

/** What is wrong with a data file, as the end of a sentence. */
export class PageFault extends Error {
  override readonly name = 'PageFault';
}

/** False on machines of 32 bits, whose files are laid out otherwise. */
export const isLayoutKnown = /64|s390x/.test(arch());

/** Opens a data file to be read; throws what the system says where it cannot. */
export function openDataFile(file: string): DataFile {
  const handle = openSync(file, 'r');
  // Asked again where it seems too short: who writes meanwhile makes it longer.
  let { size } = fstatSync(handle);
  const holds = (end: number): boolean => end <= size || end <= ({ size } = fstatSync(handle)).size;

  function read(at: number, bytes: number): DataView {
    const buffer = new Uint8Array(bytes);
    const got = readSync(handle, buffer, 0, bytes, at);
    if (got < bytes) throw new PageFault(`it ends at byte ${size}, within what it needs`);
    return new DataView(buffer.buffer);
  }
  function pageOf(page: bigint, { pageBytes, lastPage }: Meta, bytes: number): DataView {
    if (page < 2n || page > lastPage) throw new PageFault(`it leads to page ${page}, of pages 2 to ${lastPage}`);
    if (!holds((Number(page) + 1) * pageBytes))
      throw new PageFault(`it was cut off: it has ${size} bytes, and needs page ${page} of ${pageBytes}`);
    const view = read(Number(page) * pageBytes, bytes);
    if (view.getBigUint64(0, isLittleEndian) !== page)
      throw new PageFault(`page ${page} holds something else, as pages do that were never written`);
    return view;
  }

  return {
    get bytes() {
      return fstatSync(handle).size;
    },
    meta() {
      const first = metaOf(read(0, META_BYTES));
      const view = read(first.pageBytes, META_BYTES);
      // A page that was never written, or was lost in a power cut: LMDB goes on from the other one, and so does this.
      if (view.getUint32(HEADER_BYTES, isLittleEndian) === 0) return first;
      const second = metaOf(view);
      return second.transaction > first.transaction ? second : first;
    },
    follow(page, meta) {
      const view = pageOf(page, meta, meta.pageBytes);
      const flags = view.getUint16(18, isLittleEndian);
      if ((flags & (BRANCH | LEAF)) === 0) throw new PageFault(`page ${page} is no part of a tree`);
      const next: bigint[] = [];
      for (const node of nodesOf(view, page)) {
        if (flags & BRANCH) next.push(childOf(view, node));
        else if (view.getUint16(node + 4, isLittleEndian) & BIG) lookAtValue(view, node);
      }
      return next;

      function lookAtValue(leaf: DataView, node: number): void {
        const at = node + NODE_BYTES + leaf.getUint16(node + 6, isLittleEndian);
        const [start, pages] = [leaf.getBigUint64(at, isLittleEndian), leaf.getBigUint64(at + 16, isLittleEndian)];
        const head = pageOf(start, meta, HEADER_BYTES);
        if ((head.getUint16(18, isLittleEndian) & OVERFLOW) === 0) throw new PageFault(`page ${start} is no value`);
        if (!holds(Number(start + pages) * meta.pageBytes))
          throw new PageFault(`it was cut off: it has ${size} bytes, and needs ${pages} pages of ${meta.pageBytes} from page ${start}`);
      }
    },
    close: () => closeSync(handle),
  };
}

function metaOf(view: DataView): Meta {
  const at = (offset: number): bigint => view.getBigUint64(HEADER_BYTES + offset, isLittleEndian);
  const [magic, version] = [view.getUint32(HEADER_BYTES, isLittleEndian), view.getUint32(HEADER_BYTES + 4, isLittleEndian) & 0xffff];
  if (magic !== MAGIC || (view.getUint16(18, isLittleEndian) & META) === 0)
    throw new PageFault('it is no file of LMDB, or its start was overwritten');
  if (version !== FORMAT) throw new PageFault(`it has format ${version} of LMDB, and this one reads format ${FORMAT}`);
  const pageBytes = view.getUint32(HEADER_BYTES + 24, isLittleEndian);
  if (pageBytes < 256 || pageBytes > 65536 || (pageBytes & (pageBytes - 1)) !== 0)
    throw new PageFault(`it says that its pages have ${pageBytes} bytes`);
  return { pageBytes, roots: [at(64), at(112)].filter((root) => root !== NOTHING), lastPage: at(120), transaction: at(128) };
}

/** Where the nodes of a page begin. */
function nodesOf(view: DataView, page: bigint): number[] {
  const [lower, upper] = [view.getUint16(20, isLittleEndian), view.getUint16(22, isLittleEndian)];
  const room = view.byteLength - HEADER_BYTES;
  const nodes: number[] = [];
  for (let at = 0; at < lower && lower <= upper && upper <= room; at += 2) {
    const node = HEADER_BYTES + view.getUint16(HEADER_BYTES + at, isLittleEndian);
    if (node + NODE_BYTES > view.byteLength) throw new PageFault(`page ${page} has a row beyond its end`);
    nodes.push(node);
  }
  if (nodes.length === 0) throw new PageFault(`page ${page} has no rows`);
  return nodes;
}

function childOf(view: DataView, node: number): bigint {
  const [low, high, top] = [0, 2, 4].map((offset) => BigInt(view.getUint16(node + offset, isLittleEndian))) as [bigint, bigint, bigint];
  return isLittleEndian ? low | (high << 16n) | (top << 32n) : high | (low << 16n) | (top << 32n);
}
