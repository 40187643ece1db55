import { defaultRoutePaths, pathBelow, wholeRoutePaths, type RoutePaths } from './route-paths.ts';

/** The method of each route. `HEAD` goes with `GET`. */
export const routeMethods = {
  create: 'POST',
  list: 'GET',
  types: 'GET',
  task: 'GET',
  remove: 'DELETE',
  attachment: 'GET',
  part: 'GET',
  events: 'GET',
  stream: 'GET',
  sharedStream: 'GET',
  cancel: 'POST',
  actions: 'POST',
  webSocket: 'GET',
  openapi: 'GET',
  health: 'GET',
  ready: 'GET',
} as const satisfies Readonly<Record<keyof RoutePaths, 'GET' | 'POST' | 'DELETE'>>;

type RouteName = keyof RoutePaths;

/** The routes, in the order of the protocol's table. */
const names = Object.keys(defaultRoutePaths) as readonly RouteName[];
const atRoot: readonly RouteName[] = ['health', 'ready'];
const ofNoTask: readonly RouteName[] = ['create', 'list', 'types', 'sharedStream', 'webSocket', 'openapi'];
const PLAIN = /^(?!\.{1,2}$)[\w.~-]+$/;
const NAME = /^:(?!__proto__$)[A-Za-z_]\w{0,63}$/;
const TASK_ID = ':taskId';
/** The names that one route has, and no other. */
const ownNames: Readonly<Partial<Record<RouteName, readonly [name: string, thing: string]>>> = {
  attachment: [':attachmentName', 'file'],
  part: [':partNumber', 'part'],
};

/** Fills in the default paths. Throws a `RangeError` that says which path cannot be one, and why. */
export function readRoutePaths(given: Partial<RoutePaths> = {}): RoutePaths {
  const known = Object.fromEntries(Object.entries(given).filter(([, path]) => path !== undefined));
  const paths = wholeRoutePaths(known);
  for (const name of Object.keys(paths)) if (!isRoute(name)) refuse(name, `is no route; there are ${names.join(', ')}`);
  for (const name of names) {
    const fault = pathFault(paths[name]) ?? taskFault(name, paths[name]);
    if (fault !== undefined) refuse(`routes.${name} (${JSON.stringify(paths[name])})`, fault);
  }
  return paths;
}

/**
 * The whole path of each route below a prefix, the one first that is to be asked first: plain text goes before a name. Throws a `RangeError`
 * for a prefix that is no path, a name that stands twice in a path, and two routes of one method of which one would never be asked, or not
 * for some values of its names.
 */
export function mountedPaths(prefix: string, paths: RoutePaths): readonly (readonly [name: RouteName, path: string])[] {
  const base = prefix.replace(/\/$/, '');
  const fault =
    base === '' ? undefined : (pathFault(base) ?? (segmentsOf(base).includes(TASK_ID) ? `must not contain ${TASK_ID}` : undefined));
  if (fault !== undefined) refuse(`prefix (${JSON.stringify(prefix)})`, fault);
  const mounted = names.map((name) => [name, atRoot.includes(name) ? paths[name] : pathBelow(base, paths[name])] as const);
  for (const [name, path] of mounted) {
    const twice = pathNames(path).find((one, index, all) => all.indexOf(one) < index);
    if (twice !== undefined) refuse(`routes.${name} (${JSON.stringify(path)})`, `has the name :${twice} twice; its prefix counts too`);
  }
  mounted.forEach(([name, path], index) => {
    for (const [other, otherPath] of mounted.slice(0, index))
      if (routeMethods[name] === routeMethods[other] && isAmbiguous(segmentsOf(path), segmentsOf(otherPath)))
        refuse(
          `routes.${name} (${JSON.stringify(path)})`,
          `could mean routes.${other} (${JSON.stringify(otherPath)}) too: both are asked by ${routeMethods[name]}`,
        );
  });
  // Names sort behind everything that may stand in plain text.
  const rank = (path: string): string => path.replaceAll(/:\w+/g, '\uffff');
  return mounted.toSorted(([, a], [, b]) => (rank(a) < rank(b) ? -1 : 1));
}

/** The names in a path, in their order, without their colons. */
export function pathNames(path: string): readonly string[] {
  return segmentsOf(path).flatMap((segment) => (segment.startsWith(':') ? [segment.slice(1)] : []));
}

/** Throws a `RangeError` for a path with names where only plain text can stand. */
export function readPlainPath(option: string, path: string): string {
  const plain = path.replace(/\/$/, '');
  const fault =
    plain === '' ? undefined : (pathFault(plain) ?? (pathNames(plain).length > 0 ? 'must be plain text, without names' : undefined));
  if (fault !== undefined) refuse(`${option} (${JSON.stringify(path)})`, fault);
  return plain;
}

function pathFault(path: unknown): string | undefined {
  if (typeof path !== 'string' || !path.startsWith('/')) return 'must be a path that begins with "/"';
  if (path === '/') return undefined;
  const bad = segmentsOf(path).find((segment) => !PLAIN.test(segment) && !NAME.test(segment));
  if (bad === undefined) return undefined;
  return `has the segment ${JSON.stringify(bad)}: segments are letters, digits and ". _ ~ -", or a name like ":projectId"`;
}

function taskFault(name: RouteName, path: string): string | undefined {
  const count = segmentsOf(path).filter((segment) => segment === TASK_ID).length;
  if (atRoot.includes(name)) return pathNames(path).length === 0 ? undefined : 'must be plain text: whoever asks it knows no names';
  for (const [route, [own, thing]] of Object.entries(ownNames)) {
    const times = segmentsOf(path).filter((segment) => segment === own).length;
    if (name === route && times !== 1) return `must contain ${own} exactly once`;
    if (name !== route && times > 0) return `must not contain ${own}: it is for no ${thing}`;
  }
  if (ofNoTask.includes(name)) return count === 0 ? undefined : `must not contain ${TASK_ID}: it is for no one task`;
  return count === 1 ? undefined : `must contain ${TASK_ID} exactly once`;
}

/**
 * True for two paths of which one would take what is meant for the other: where every address of the one is the other's, plain text tells
 * them apart, unless they are equal. An id of a task is no word that a path has.
 */
function isAmbiguous(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  let [aIsNarrower, bIsNarrower] = [false, false];
  for (const [index, one] of a.entries()) {
    const other = b[index] ?? '';
    const [isName, otherIsName] = [one.startsWith(':'), other.startsWith(':')];
    if (isName === otherIsName) {
      if (!isName && one !== other) return false;
    } else if (one === TASK_ID || other === TASK_ID) return false;
    else if (isName) bIsNarrower = true;
    else aIsNarrower = true;
  }
  return aIsNarrower === bIsNarrower;
}

function segmentsOf(path: string): readonly string[] {
  return path.split('/').slice(1);
}

function isRoute(name: string): name is RouteName {
  return Object.hasOwn(defaultRoutePaths, name);
}

function refuse(what: string, fault: string): never {
  throw new RangeError(`${what} ${fault}.`);
}
