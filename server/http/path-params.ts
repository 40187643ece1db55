import type Koa from 'koa';
import { TaskBridgeError } from '../errors.ts';
import type { PathParams } from '../ports/auth.ts';

/** What stands in a request's path where a route has names. */
export interface PathMatch {
  /** Decoded where it can be; empty on routes without one. */
  readonly taskId: string;
  /** Decoded; empty on routes without one. */
  readonly attachmentName: string;
  /** The same. */
  readonly partNumber: string;
  /** All others, decoded. */
  readonly params: PathParams;
}

/** Those of a path that has none. */
export const noParams = Object.freeze(Object.create(null) as PathParams);

/** All parameters of a path together, in characters: they are kept with the task. */
const PARAMS_CHARACTERS_MAX = 1024;

/**
 * Names what a route's pattern found in a request's path: as many texts as the route has names. Throws `INVALID_REQUEST` for more than 1024 characters
 * together, and for what is no percent-encoded UTF-8, which nobody could have meant; a task id like that is unknown.
 */
export function pathValues(names: readonly string[], found: readonly (string | undefined)[]): PathMatch {
  let params: Record<string, string> | undefined;
  let taskId = '';
  let attachmentName = '';
  let partNumber = '';
  let characters = 0;
  for (const [index, name] of names.entries()) {
    const text = found[index] ?? '';
    if (name === 'taskId') taskId = decoded(text) ?? text;
    else if (name === 'attachmentName') attachmentName = decoded(text) ?? refuse(name);
    else if (name === 'partNumber') partNumber = decoded(text) ?? refuse(name);
    else {
      const value = decoded(text) ?? refuse(name);
      // No name can be a key of a prototype here.
      params ??= Object.create(null) as Record<string, string>;
      params[name] = value;
      characters += value.length;
    }
  }
  if (characters > PARAMS_CHARACTERS_MAX)
    throw new TaskBridgeError(
      'INVALID_REQUEST',
      `The names of the path stand for ${characters} characters; together they may have ${PARAMS_CHARACTERS_MAX}.`,
    );
  return { taskId, attachmentName, partNumber, params: params ?? noParams };
}

/** Matches exactly the paths of a route, with a group for each of its names. */
export function pathPattern(route: string): RegExp {
  return new RegExp(`^${route.replaceAll('.', '\\.').replaceAll(/:\w+/g, '([^/]+)')}$`);
}

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

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function refuse(name: string): never {
  throw new TaskBridgeError('INVALID_REQUEST', `The path carries no percent-encoded UTF-8 where its ${JSON.stringify(name)} stands.`);
}
