/** Bytes of a file, both ends among them. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * What a request asks for of a file: undefined for all of it. Several ranges, other units and what cannot be read are all of it, too, and so is a range of
 * another file (`If-Range`). Source: RFC 9110, 14.
 */
export function byteRange(range: string, ifRange: string, tag: string, bytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [, from, to] = RANGE.exec(range.replaceAll(' ', '')) ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '') || (ifRange !== '' && ifRange !== tag)) return undefined;
  if (from === '') {
    const length = Math.min(Number(to), bytes);
    return length === 0 ? 'unsatisfiable' : { start: bytes - length, end: bytes - 1 };
  }
  const [start, end] = [Number(from), to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1)];
  if (to !== '' && Number(to) < start) return undefined;
  return start >= bytes ? 'unsatisfiable' : { start, end };
}
