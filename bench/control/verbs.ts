/** What a process of the bench can be told over its control connection: an object of verbs with one parameter each. */
export type Verbs<T> = { readonly [K in keyof T]: (parameter: never) => unknown };

/** The parameter of a verb. */
export type Parameter<T extends Verbs<T>, K extends keyof T> = T[K] extends (parameter: infer P) => unknown ? P : never;

/** What a verb answers. */
export type Answer<T extends Verbs<T>, K extends keyof T> = T[K] extends (parameter: never) => infer A ? Awaited<A> : never;

/** One line to a process. Without an id nothing is answered. */
export interface Order {
  readonly id?: number;
  readonly verb: string;
  readonly parameter: unknown;
}

/** One line back. */
export type Reply = { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly error: string };
