/** Why signals were aborted: React Native's own (`abort-controller` 3) drop the reason, and a time-out would look like the caller's wish. */
const reasons = new WeakMap<AbortSignal, unknown>();

/** Aborts with a reason that `abortReason` gives on every platform. The first one counts. */
export function abortWith(controller: AbortController, reason: unknown): void {
  const { signal } = controller;
  if (signal.aborted) return;
  reasons.set(signal, reason);
  controller.abort(reason);
}

/** Who is to be told of a signal, by the one listener that it has of ours. */
const followers = new WeakMap<AbortSignal, { readonly calls: Set<() => void>; handleEvent(): void }>();

/**
 * Calls back when the signal aborts, at once where it has; returns what calls that off. However many do so, the signal has one listener: Node takes
 * one with more than ten for a leak, and says so. Each is to be a function of its own.
 */
export function onAbort(signal: AbortSignal | undefined, call: () => void): () => void {
  if (signal?.aborted) call();
  if (!signal || signal.aborted) return () => undefined;
  const calls = new Set<() => void>();
  const listener = followers.get(signal) ?? { calls, handleEvent: () => [...calls].forEach((each) => each()) };
  followers.set(signal, listener);
  signal.addEventListener('abort', listener);
  listener.calls.add(call);
  return () => {
    if (listener.calls.delete(call) && listener.calls.size === 0) signal.removeEventListener('abort', listener);
  };
}

/** Why a signal was aborted; undefined where nobody said, or where the platform has forgotten it. */
export function abortReason(signal: AbortSignal | undefined): unknown {
  return signal && (reasons.get(signal) ?? signal.reason);
}
