const nothing = (): void => undefined;

/**
 * A promise of a task's handle. Whoever awaits it hears of its rejection; where nobody does, the host lives on: tasks are cancelled, and given
 * to another run, every day. The same holds for what is chained to it and only passes that rejection on; an error of a callback stays the
 * handler's own.
 */
export class HandlePromise<T> extends Promise<T> {
  /** Settles as the given promise does. */
  static by<T>(said: Promise<T>): HandlePromise<T> {
    const handle = new HandlePromise<T>((resolve, reject) => void said.then(resolve, reject));
    handle.catch(nothing);
    return handle;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const next = super.then(onFulfilled, onRejected);
    if (!onRejected) this.#quietWithThis(next);
    return next;
  }

  override finally(onFinally?: (() => void) | null): Promise<T> {
    const next = super.finally(onFinally);
    this.#quietWithThis(next);
    return next;
  }

  /** Nothing is unhandled before all reactions have run: one that is added by a reaction is in time. */
  #quietWithThis(next: Promise<unknown>): void {
    super.then(undefined, () => void next.catch(nothing));
  }
}
