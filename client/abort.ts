/** Why signals were aborted: React Native's own (`abort-controller` 3) drop the reason, and a time-out would look like the caller's wish. */
const reasons = new WeakMap<AbortSignal, unknown>();

/** Aborts with a reason that `abortReason` gives on every platform. The first one counts. */
export function abortWith(controller: AbortController, reason: unknown): void {
  const { signal } = controller;
  if (signal.aborted) return;
  reasons.set(signal, reason);
  controller.abort(reason);
}

/** Who is to be told of a signal, and the one listener that tells them. */
const followers = new WeakMap<AbortSignal, { readonly calls: Set<() => void>; readonly tell: () => void }>();

/**
 * Calls back when the signal aborts, at once where it has; returns what calls that off. However many do so, the signal has one listener: Node takes
 * one with more than ten for a leak, and says so.
 */
export function onAbort(signal: AbortSignal | undefined, call: () => void): () => void {
  if (signal?.aborted) call();
  if (!signal || signal.aborted) return () => undefined;
  const { calls, tell } = followers.get(signal) ?? follow(signal);
  const own = (): void => call();
  if (calls.size === 0) signal.addEventListener('abort', tell);
  calls.add(own);
  return () => {
    calls.delete(own);
    if (calls.size === 0) signal.removeEventListener('abort', tell);
  };
}

function follow(signal: AbortSignal) {
  const calls = new Set<() => void>();
  const made = { calls, tell: () => [...calls].forEach((call) => call()) };
  followers.set(signal, made);
  return made;
}

/** Why a signal was aborted; undefined where nobody said, or where the platform has forgotten it. */
export function abortReason(signal: AbortSignal): unknown {
  return reasons.get(signal) ?? signal.reason;
}
