const nothing = (): void => undefined;

/**
 * A promise of a task's handle. Whoever awaits it hears of its rejection; where nobody does, the host lives on: tasks are cancelled, and given
 * to another run, every day. The same holds for what is chained to it and only passes that rejection on; an error of a callback stays the
 * handler's own.
 */
export class HandlePromise<T> extends Promise<T> {
  #isHeard = false;
  #isAwaited = false;
  #onAwaited: (() => void) | undefined;
  /** `finally` calls `then` with callbacks of the engine. */
  #isChaining = false;
  /** What it was chained to. */
  #from: HandlePromise<unknown> | undefined;
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

  /** Calls back once, when somebody first awaits it or what was chained to it; at once where somebody does already. */
  whenAwaited(listener: () => void): void {
    if (this.#isAwaited) listener();
    else this.#onAwaited = listener;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const next = super.then(onFulfilled, onRejected);
    if (onRejected) this.#isHeard = true;
    else this.#passTo(next);
    if (next instanceof HandlePromise) next.#from = this;
    if (onFulfilled && !this.#isChaining && isNative(onFulfilled)) this.#noteAwaited();
    return next;
  }

  override finally(onFinally?: (() => void) | null): Promise<T> {
    const wasHeard = this.#isHeard;
    this.#isChaining = true;
    const next = super.finally(onFinally);
    this.#isChaining = false;
    // It passes the rejection on, though it is told of it.
    this.#isHeard = wasHeard;
    this.#passTo(next);
    return next;
  }

  #noteAwaited(): void {
    const isNew = this.#markAwaited();
    // Chains may be long: no recursion.
    let from = isNew ? this.#from : undefined;
    while (from !== undefined && from.#markAwaited()) from = from.#from;
  }

  /** False where it was known. */
  #markAwaited(): boolean {
    if (this.#isAwaited) return false;
    this.#isAwaited = true;
    this.#onAwaited?.();
    this.#onAwaited = undefined;
    return true;
  }

  /** Nothing is unhandled before all reactions have run: one that is added by a reaction is in time. */
  #passTo(next: Promise<unknown>): void {
    // Mostly one, for as long as a person thinks: an array takes room for many when it first grows.
    if (next instanceof HandlePromise && !this.#chained?.push(next)) this.#chained = [next];
    super.then(undefined, () => quiet(next));
  }
}

/**
 * True for what the engine hands to `then` on behalf of an `await`, of `Promise.all` and its like, and of a promise that is resolved with this one: all
 * of them go on when it settles. A callback of the handler's own only says what is to be done then.
 */
function isNative(callback: unknown): boolean {
  return /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(callback));
}

/** A rejection is no unhandled one; nor is it heard. */
function quiet(promise: Promise<unknown>): void {
  void Promise.prototype.then.call(promise, undefined, nothing);
}
