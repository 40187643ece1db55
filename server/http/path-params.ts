import { pathNames } from '../../machines/wire/index.ts';
import { TaskBridgeError } from '../errors.ts';
import type { PathParams } from '../ports/auth.ts';

/** What stands in a request's path where a route has names. */
export interface PathValues {
  /** Decoded where it can be; empty on routes without one. */
  readonly taskId: string;
  /** All others, decoded. */
  readonly params: PathParams;
}

/**
 * Names what a route's pattern found in a request's path. As many as the route has names, and together shorter than a request's head, which
 * Node bounds. Throws `INVALID_REQUEST` for what is no percent-encoded UTF-8, which nobody could have meant; a task id like that is unknown.
 */
export function pathValues(route: string, found: readonly (string | undefined)[]): PathValues {
  // No name can be a key of a prototype here.
  const params = Object.create(null) as Record<string, string>;
  let taskId = '';
  for (const [index, name] of pathNames(route).entries()) {
    const text = found[index] ?? '';
    if (name === 'taskId') taskId = decoded(text) ?? text;
    else params[name] = decoded(text) ?? refuse(name);
  }
  return { taskId, params };
}

/** Matches exactly the paths of a route, with a group for each of its names. */
export function pathPattern(route: string): RegExp {
  return new RegExp(`^${route.replaceAll('.', '\\.').replaceAll(/:\w+/g, '([^/]+)')}$`);
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
