const nothing = (): void => undefined;

/**
 * A promise of a task's handle. Whoever awaits it hears of its rejection; where nobody does, the host lives on: tasks are cancelled, and given
 * to another run, every day. The same holds for what is chained to it and only passes that rejection on; an error of a callback stays the
 * handler's own.
 */
export class HandlePromise<T> extends Promise<T> {
  #isHeard = false;
  /** What was chained to it, and passes its rejection on. */
  #chained: HandlePromise<unknown>[] | undefined;

  /** Settles as the given promise does. */
  static by<T>(settling: Promise<T>): HandlePromise<T> {
    const { handle, resolve, reject } = HandlePromise.unsettled<T>();
    settling.then(resolve, reject);
    return handle;
  }

  /** One that is settled by whoever makes it. */
  static unsettled<T>() {
    let settle: { readonly resolve: (value: T) => void; readonly reject: (reason: unknown) => void } = {
      resolve: nothing,
      reject: nothing,
    };
    const handle = new HandlePromise<T>((resolve, reject) => (settle = { resolve, reject }));
    quiet(handle);
    return { handle, ...settle };
  }

  /** True where somebody would hear of a rejection: awaits it, or catches it at the end of what was chained to it. */
  get isHeard(): boolean {
    // Chains may be long: no recursion.
    const looked: HandlePromise<unknown>[] = [this];
    for (const promise of looked) {
      if (promise.#isHeard) return true;
      for (const next of promise.#chained ?? []) looked.push(next);
    }
    return false;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const next = super.then(onFulfilled, onRejected);
    if (onRejected) this.#isHeard = true;
    else this.#passTo(next);
    return next;
  }

  override finally(onFinally?: (() => void) | null): Promise<T> {
    const wasHeard = this.#isHeard;
    const next = super.finally(onFinally);
    // It passes the rejection on, though it is told of it.
    this.#isHeard = wasHeard;
    this.#passTo(next);
    return next;
  }

  /** Nothing is unhandled before all reactions have run: one that is added by a reaction is in time. */
  #passTo(next: Promise<unknown>): void {
    // Mostly one, for as long as a person thinks: an array takes room for many when it first grows.
    if (next instanceof HandlePromise && !this.#chained?.push(next)) this.#chained = [next];
    super.then(undefined, () => quiet(next));
  }
}

/** A rejection is no unhandled one; nor is it heard. */
function quiet(promise: Promise<unknown>): void {
  void Promise.prototype.then.call(promise, undefined, nothing);
}
