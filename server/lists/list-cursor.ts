import type { Name } from '../ports/owners.ts';

/** A place in an owner's list, as callers are given it. Its form is checked where it comes back (`listCursor` of the wire). */
export function textOfName({ at, requestKey }: Name): string {
  return `${at}-${requestKey}`;
}

/** Reads it. */
export function nameOfText(text: string): Name {
  const [at, requestKey = ''] = text.split('-');
  return { at: Number(at), requestKey };
}
