/** What the SDK itself asks before it runs a local activity; nothing public tells of it. */
interface Activator {
  readonly registeredActivityNames?: { has?: (name: string) => unknown };
}

/**
 * True where the worker that runs this workflow has an activity of that name. False of a worker of workflows alone, and where the SDK does not say so any more. Not
 * what a replay may ask: another worker may have other activities.
 */
export function hasActivity(name: string): boolean {
  const { __TEMPORAL_ACTIVATOR__: activator } = globalThis as { readonly __TEMPORAL_ACTIVATOR__?: Activator };
  return activator?.registeredActivityNames?.has?.(name) === true;
}
