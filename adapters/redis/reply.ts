/** A list of a reply. */
export function listOf(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new TypeError(`Redis answered ${typeof reply} where a list belongs.`);
  return reply as readonly unknown[];
}

/** The bytes of a reply. */
export function bytesOf(reply: unknown): Buffer {
  if (!Buffer.isBuffer(reply)) throw new TypeError(`Redis answered ${typeof reply} where bytes belong.`);
  return reply;
}

/** A text of a reply. */
export function textOf(reply: unknown): string {
  return bytesOf(reply).toString('utf8');
}

/** A whole number of a reply, undefined for anything else. A client with `stringNumbers` gives them as texts, where bytes are bytes all the same. */
export function integerOf(reply: unknown): number | undefined {
  if (typeof reply === 'number') return reply;
  return typeof reply === 'string' ? Number(reply) : undefined;
}
