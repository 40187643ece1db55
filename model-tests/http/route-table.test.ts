import Router from 'koa-router';
import { expect, test } from 'vitest';
import { RouteTable } from '../../server/http/route-table.ts';
import { mountedPaths, readRoutePaths, routeMethods, type RoutePaths } from '../../machines/routes/index.ts';

const ID = '0123456789abcdef0123456789abcdef';
const methods = ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'OPTIONS'];

/** What koa-router gives first for a request: the path of the layer, and what stands where that has names. */
function byRouter(router: Router, method: string, path: string): { path: string; captures: readonly string[] } | undefined {
  const { route, pathAndMethod } = router.match(path, method);
  const [layer] = pathAndMethod;
  return route && layer ? { path: layer.path as string, captures: layer.captures(path) as unknown as string[] } : undefined;
}

function mounted(prefix: string, given: Partial<RoutePaths> = {}): { router: Router; table: RouteTable<string>; paths: string[] } {
  const router = new Router({ sensitive: true });
  const paths = mountedPaths(prefix, readRoutePaths(given)).filter(([name]) => name !== 'health' && name !== 'ready');
  const table = new RouteTable<string>(paths.map(([, path]) => path));
  for (const [name, path] of paths) {
    router[{ GET: 'get', POST: 'post', DELETE: 'delete' }[routeMethods[name]] as 'get'](path, () => undefined);
    table.add(routeMethods[name], path, path);
  }
  return { router, table, paths: paths.map(([, path]) => path) };
}

/** Each path of a mount with an id of ours, and what is nearly one. */
function requestsOf(paths: readonly string[]): string[] {
  const ids = [
    ID,
    ID.toUpperCase(),
    ID.slice(1),
    `${ID}0`,
    `${ID.slice(1)}/`,
    'types',
    'stream',
    `%30${ID.slice(3)}`,
    `${ID.slice(2)}..`,
    '',
  ];
  const filled = paths.flatMap((path) => ids.map((id) => path.replace(':taskId', id).replace(/:\w+/g, 'x')));
  return [
    ...new Set(
      filled.flatMap((path) => [
        path,
        `${path}/`,
        `/x${path}`,
        path.slice(0, -1),
        `${path}/x`,
        path.toUpperCase(),
        path.replace('/', '//'),
      ]),
    ),
  ];
}

test.each<[prefix: string, routes?: Partial<RoutePaths>]>([
  ['/api/v1'],
  [''],
  ['/a/b'],
  ['/p/:project'],
  ['', { task: '/:taskId', events: '/:taskId/e', cancel: '/c/:taskId', actions: '/t/:taskId/a.b' }],
])('gives what koa-router would, or asks it (prefix %j, %j)', (prefix, routes) => {
  const { router, table, paths } = mounted(prefix, routes);
  let found = 0;
  for (const method of methods)
    for (const path of requestsOf(paths)) {
      const mine = table.find(method, path);
      if (!mine) continue;
      found += 1;
      const { path: theirs, captures } = byRouter(router, method, path) ?? { path: 'none', captures: [] };
      expect({ method, path, route: mine.entry, taskId: mine.taskId }).toEqual({ method, path, route: theirs, taskId: captures[0] ?? '' });
    }
  expect(found > 0).toBe(!prefix.includes(':'));
});

test('finds the routes that requests come by all the time', () => {
  const { table } = mounted('/api/v1');
  const found = (method: string, path: string) => table.find(method, `/api/v1${path}`);
  expect(found('POST', '/tasks')).toEqual({ entry: '/api/v1/tasks', taskId: '' });
  expect(found('GET', `/tasks/${ID}`)).toEqual({ entry: '/api/v1/tasks/:taskId', taskId: ID });
  for (const end of ['events', 'events/stream']) expect(found('GET', `/tasks/${ID}/${end}`)?.taskId).toBe(ID);
  for (const end of ['actions', 'cancel']) expect(found('POST', `/tasks/${ID}/${end}`)?.taskId).toBe(ID);
});

test('leaves a path with a word that could be an id to the router', () => {
  const { table } = mounted('', { types: `/tasks/${ID}` });
  for (const method of methods) expect(table.find(method, `/tasks/${ID}`)).toBeUndefined();
});
