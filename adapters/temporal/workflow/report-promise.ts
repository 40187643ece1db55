/** A promise of what a flow says, that knows whether somebody hears of its rejection. Where nobody does, that fails no step of the workflow. */
export interface ReportPromise<T> extends Promise<T> {
  /** True where it is awaited, or something was chained to it. */
  isHeard(): boolean;
}

/**
 * Settles as the given promise does. No class of its own: the sandbox follows promises by hooks of the engine, which lose count of a subclass. An
 * `await` asks a promise for its `then` where it is not plainly one of the engine's.
 */
export function reportPromise<T>(settling: Promise<T>): ReportPromise<T> {
  let isHeard = false;
  // No unhandled rejection; nor is it heard.
  settling.catch(() => undefined);
  const then: Promise<T>['then'] = (...listeners) => {
    isHeard = true;
    return settling.then(...listeners);
  };
  return {
    then,
    catch: (onRejected) => then(undefined, onRejected),
    finally: (onFinally) => {
      isHeard = true;
      return settling.finally(onFinally);
    },
    [Symbol.toStringTag]: 'Promise',
    isHeard: () => isHeard,
  };
}
