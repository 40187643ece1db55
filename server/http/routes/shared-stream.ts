import { readTaskParts, readTaskSet } from '../../../machines/routes/index.ts';
import { sharedStreamQuery } from '../../../machines/wire/index.ts';
import type { TaskBridgeError } from '../../errors.ts';
import type { Route, RouteDeps } from '../call.ts';
import { callerError } from '../error-response.ts';
import { queryFields } from '../query.ts';
import { httpStatus } from '../status.ts';
import { validate } from '../validation.ts';

/**
 * `GET /tasks/events/stream`: one stream of many tasks, which are named in the query. What is wrong with all of it is refused here, as JSON, and so is
 * a fault of ours that leaves no task to be shown; what is wrong with one of the tasks is said in the stream. A HEAD is answered without one.
 */
export function sharedStreamRoute({ service, live, logger }: RouteDeps): Route {
  return async ({ ctx, auth }) => {
    const query = validate(sharedStreamQuery, queryFields(ctx.querystring, ['tasks', 'extensions', 'parts']));
    if (ctx.method === 'HEAD') {
      ctx.status = 200;
      for (const [name, value] of Object.entries(live.sseHeaders)) ctx.set(name, value);
      return;
    }
    const refusalOf = (taskId: string): Promise<TaskBridgeError | undefined> =>
      service.authorize(auth, taskId).then(
        () => undefined,
        (thrown: unknown) => callerError(thrown, logger),
      );
    const asked = readTaskSet(query.tasks) ?? [];
    const parts = readTaskParts(query.parts ?? '');
    const tasks = await Promise.all(
      asked.map(async (task) => ({ ...task, parts: parts?.get(task.taskId), refusal: await refusalOf(task.taskId) })),
    );
    const [first] = tasks;
    if (first?.refusal && tasks.every(({ refusal }) => refusal && httpStatus[refusal.code] >= 500)) throw first.refusal;
    ctx.respond = false;
    if (ctx.res.destroyed) return;
    live.openSharedSse({ req: ctx.req, res: ctx.res, auth, tasks, extensions: query.extensions });
  };
}
