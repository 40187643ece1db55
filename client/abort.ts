/** Why signals were aborted: React Native's own (`abort-controller` 3) drop the reason, and a time-out would look like the caller's wish. */
const reasons = new WeakMap<AbortSignal, unknown>();

/** Aborts with a reason that `abortReason` gives on every platform. The first one counts. */
export function abortWith(controller: AbortController, reason: unknown): void {
  const { signal } = controller;
  if (signal.aborted) return;
  reasons.set(signal, reason);
  controller.abort(reason);
}

/** Why a signal was aborted; undefined where nobody said, or where the platform has forgotten it. */
export function abortReason(signal: AbortSignal): unknown {
  return reasons.get(signal) ?? signal.reason;
}
