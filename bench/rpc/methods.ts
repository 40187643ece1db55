/** What a process of the bench can be told over its control connection: an object of methods with one parameter each. */
export type Methods<T> = { readonly [K in keyof T]: (parameter: never) => unknown };

/** The parameter of a method. */
export type MethodParameter<T extends Methods<T>, K extends keyof T> = T[K] extends (parameter: infer P) => unknown ? P : never;

/** What a method answers. */
export type MethodResult<T extends Methods<T>, K extends keyof T> = T[K] extends (parameter: never) => infer A ? Awaited<A> : never;

/** One line to a process. Without an id nothing is answered. */
export interface MethodCall {
  readonly id?: number;
  readonly method: string;
  readonly parameter: unknown;
}

/** One line back. */
export type MethodReply = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly error: string };
