import { describe, expect, it } from 'vitest';
import { defaultRoutePaths, mountedPaths, pathBelow, pathNames, readPlainPath, readRoutePaths } from '../../machines/routes/index.ts';

const mount = (routes: object, prefix = '/api') => mountedPaths(prefix, readRoutePaths(routes));

describe('the paths of the protocol', () => {
  it('are these, below the prefix of the published clients', () => {
    expect(Object.fromEntries(mountedPaths('/api/v1', readRoutePaths()))).toEqual({
      create: '/api/v1/tasks',
      list: '/api/v1/tasks',
      types: '/api/v1/tasks/types',
      task: '/api/v1/tasks/:taskId',
      remove: '/api/v1/tasks/:taskId',
      attachment: '/api/v1/tasks/:taskId/attachments/:attachmentName',
      part: '/api/v1/tasks/:taskId/parts/:partNumber',
      events: '/api/v1/tasks/:taskId/events',
      stream: '/api/v1/tasks/:taskId/events/stream',
      sharedStream: '/api/v1/tasks/events/stream',
      cancel: '/api/v1/tasks/:taskId/cancel',
      actions: '/api/v1/tasks/:taskId/actions',
      webSocket: '/api/v1/tasks/ws',
      openapi: '/api/v1/openapi.json',
      health: '/health',
      ready: '/ready',
    });
  });

  it('are set one by one, and what is undefined is not set', () => {
    expect(readRoutePaths({ create: '/jobs', task: undefined } as object)).toEqual({
      ...defaultRoutePaths,
      create: '/jobs',
      list: '/jobs',
    });
  });

  it('list tasks where they are created and remove them where they are read, unless another path is set', () => {
    expect(readRoutePaths({ create: '/new', list: '/all' })).toMatchObject({ create: '/new', list: '/all' });
    expect(readRoutePaths({ task: '/one/:taskId' })).toMatchObject({ task: '/one/:taskId', remove: '/one/:taskId' });
    expect(mount({ create: '/new', list: '/all' })).toEqual(
      expect.arrayContaining([
        ['list', '/api/all'],
        ['create', '/api/new'],
      ]),
    );
  });

  it.each([
    ['a relative path', { create: 'tasks' }, 'routes.create ("tasks") must be a path that begins with "/".'],
    ['no text', { create: 7 }, 'routes.create (7) must be a path that begins with "/".'],
    ['a query', { events: '/tasks/:taskId?x' }, 'has the segment ":taskId?x"'],
    ['an empty segment', { create: '/tasks//new' }, 'has the segment ""'],
    ['a slash at the end', { create: '/tasks/' }, 'has the segment ""'],
    ['a way up', { create: '/tasks/../new' }, 'has the segment ".."'],
    ['a wildcard', { create: '/*rest' }, 'has the segment "*rest"'],
    ['a group', { create: '/{tasks}' }, 'has the segment "{tasks}"'],
    ['an expression', { create: '/:id(\\d+)' }, 'has the segment ":id(\\\\d+)"'],
    ['a name with a dash', { create: '/:project-id' }, 'has the segment ":project-id"'],
    ['a name of a prototype', { create: '/:__proto__' }, 'has the segment ":__proto__"'],
    ['a name of 65 letters', { create: `/:${'a'.repeat(65)}` }, 'has the segment ":aaa'],
    ['a task that is not named', { task: '/tasks/:id' }, 'routes.task ("/tasks/:id") must contain :taskId exactly once.'],
    ['a task that is named twice', { cancel: '/:taskId/:taskId' }, 'must contain :taskId exactly once'],
    ['a create of a task', { create: '/tasks/:taskId' }, 'must not contain :taskId: it is for no one task'],
    ['a socket of a task', { webSocket: '/ws/:taskId' }, 'must not contain :taskId'],
    ['health with a name', { health: '/:tenant/health' }, 'must be plain text: whoever asks it knows no names'],
    ['a part without its number', { part: '/parts/:taskId' }, 'must contain :partNumber exactly once'],
    ['a task with the number of a part', { task: '/:partNumber/:taskId' }, 'must not contain :partNumber: it is for no part'],
    ['a file without its name', { attachment: '/files/:taskId' }, 'must contain :attachmentName exactly once'],
    ['a task with the name of a file', { task: '/:attachmentName/:taskId' }, 'must not contain :attachmentName: it is for no file'],
    ['a misspelt route', { sockets: '/ws' }, 'sockets is no route; there are create, list, types, task, remove, attachment, part, events'],
  ])('refuse %s', (_, routes, message) => {
    expect(() => readRoutePaths(routes as object)).toThrow(RangeError);
    expect(() => readRoutePaths(routes as object)).toThrow(message);
  });

  it('may have names of 64 letters, and names that only look like a prototype’s', () => {
    const name = 'a'.repeat(64);
    expect(pathNames(readRoutePaths({ create: `/:${name}/:constructor/:_` }).create)).toEqual([name, 'constructor', '_']);
  });
});

describe('a mount', () => {
  it.each([
    ['a relative prefix', 'api', {}, 'prefix ("api") must be a path that begins with "/".'],
    ['a prefix with the id of a task', '/:taskId', {}, 'prefix ("/:taskId") must not contain :taskId.'],
    ['a name that the prefix has', '/p/:p', { create: '/:p' }, 'routes.create ("/p/:p/:p") has the name :p twice'],
    ['a read where tasks are listed', '/api', { types: '/tasks' }, 'routes.types ("/api/tasks") could mean routes.list ("/api/tasks") too'],
    ['two equal routes', '/api', { events: '/tasks/:taskId' }, 'could mean routes.task ("/api/tasks/:taskId") too: both are asked by GET'],
    ['two that differ in a name', '/api', { create: '/:a', cancel: '/:taskId' }, 'could mean'],
    ['two that share some addresses', '', { cancel: '/:project/x/:taskId', actions: '/p/:kind/:taskId' }, 'could mean'],
    ['readiness where health is', '/api', { ready: '/health' }, 'routes.ready ("/health") could mean routes.health'],
    ['a socket where health is', '/api', { webSocket: '/ws', health: '/api/ws' }, 'could mean routes.webSocket ("/api/ws")'],
  ])('of %s is refused', (_, prefix, routes, message) => {
    expect(() => mount(routes, prefix)).toThrow(RangeError);
    expect(() => mount(routes, prefix)).toThrow(message);
  });

  it('asks plain text before names, whatever the order in which they are given', () => {
    const routes = {
      task: '/:kind/:taskId',
      webSocket: '/sockets/:room',
      create: '/:kind',
      cancel: '/:kind/:taskId/cancel',
      actions: '/all/:taskId/cancel',
    };
    const order = mount(routes, '').map(([name]) => name);
    expect(order.indexOf('webSocket')).toBeLessThan(order.indexOf('task'));
    expect(order.indexOf('actions')).toBeLessThan(order.indexOf('cancel'));
  });

  it('may have the same path for a read and a change, and a path beside the id of a task', () => {
    const routes = {
      create: '/',
      task: '/:taskId',
      webSocket: '/ws',
      cancel: '/:taskId',
      stream: '/stream/:taskId',
      events: '/:taskId/events',
    };
    expect(Object.fromEntries(mount(routes, '/p/:p/'))).toMatchObject({ create: '/p/:p', task: '/p/:p/:taskId', webSocket: '/p/:p/ws' });
  });

  it('puts paths together without doubled slashes', () => {
    expect([pathBelow('', '/'), pathBelow('/', '/tasks'), pathBelow('/a/', '/'), pathBelow('/a', '/b')]).toEqual([
      '/',
      '/tasks',
      '/a',
      '/a/b',
    ]);
  });

  it('takes plain text only for what an outer mount takes off', () => {
    expect([readPlainPath('mountPath', ''), readPlainPath('mountPath', '/'), readPlainPath('mountPath', '/a/b/')]).toEqual([
      '',
      '',
      '/a/b',
    ]);
    expect(() => readPlainPath('mountPath', '/:a')).toThrow('mountPath ("/:a") must be plain text, without names.');
    expect(() => readPlainPath('mountPath', 'a')).toThrow('mountPath ("a") must be a path that begins with "/".');
  });
});
