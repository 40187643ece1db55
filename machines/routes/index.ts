/**
 * Where the routes of the protocol are, and where a host may put them: the one table that server and clients read; and how a
 * set of tasks stands in a query. Pure; imports nothing.
 *
 * @packageDocumentation
 */
export { mountedPaths, pathNames, readPlainPath, readRoutePaths, routeMethods } from './mount.ts';
export { readTaskParts, readTaskSet, STREAM_TASKS_MAX, taskPartsText, taskSetText, type TaskCursor } from './task-set.ts';
export { DEFAULT_PREFIX, defaultRoutePaths, pathBelow, wholeRoutePaths, type RoutePaths, type RouteSettings } from './route-paths.ts';
