/** The version of what nodes tell each other. A node leaves alone what a newer one says. */
export const NOTICE_VERSION = 1;

/** What one node tells all others, over the tail of their store. */
export interface Notice {
  /** Who says it: it has done so itself already. */
  readonly from: string;
  /** The live connections of this subject are to end. */
  readonly disconnect: { readonly subject: string };
}

/** A notice as it goes from node to node. */
export function textOfNotice({ from, disconnect }: Notice): string {
  return JSON.stringify({ v: NOTICE_VERSION, from, disconnect: { subject: disconnect.subject } });
}

/** Reads a notice; undefined for one of a newer version, and for what is none. */
export function parseNotice(text: string): Notice | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { v, from, disconnect } = (value ?? {}) as { readonly v?: unknown; readonly from?: unknown; readonly disconnect?: unknown };
  const { subject } = (disconnect ?? {}) as { readonly subject?: unknown };
  if (v !== NOTICE_VERSION || typeof from !== 'string' || typeof subject !== 'string') return undefined;
  return { from, disconnect: { subject } };
}
