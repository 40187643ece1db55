import type Koa from 'koa';

/** A path that koa-router knows. */
export interface RoutedLayer {
  readonly path: string;
  readonly methods: readonly string[];
  readonly regexp: RegExp;
}

/** What koa-router puts on a context. A router of the host's around ours has put its own there before. */
export interface Routed {
  /** What stands where the path of the layer that runs now has names, as it was sent. */
  readonly captures: readonly (string | undefined)[];
  /** All layers whose path is that of the request, whatever its method. */
  readonly matched: readonly RoutedLayer[];
}

/** What koa-router found. */
export function routed(ctx: Koa.Context): Routed {
  return ctx as unknown as Routed;
}
