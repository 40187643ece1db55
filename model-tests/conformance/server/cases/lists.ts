import type { Case } from '../../suite/case.ts';
import { holds, includes, same } from '../../suite/claim.ts';
import { call, ended, refused, someId, start } from '../calls.ts';
import type { Owner, ServerUnderTest } from '../server-under-test.ts';

const rule = 'docs/protocol.md, Requests: GET /tasks';
const PAGES_MAX = 500;

interface ListPage {
  readonly tasks: readonly { readonly taskId: string; readonly createdAt: string }[];
  readonly nextAfter: string | null;
}

async function missing(server: ServerUnderTest): Promise<string | undefined> {
  const { status } = await call(server, 'GET', '/tasks');
  return status === 404 || status === 405 ? 'no list of tasks (GET /tasks).' : undefined;
}

async function page(server: ServerUnderTest, query: string, as: Owner = 'one'): Promise<ListPage> {
  const { status, body } = await call<ListPage>(server, 'GET', `/tasks?${query}`, { as });
  holds(status === 200, `GET /tasks?${query} was to answer 200, and answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** All tasks of a list, page by page; `between` is done before each further page. */
async function walk(server: ServerUnderTest, query: string, as?: Owner, between?: () => Promise<unknown>): Promise<ListPage['tasks']> {
  const tasks: ListPage['tasks'][number][] = [];
  let after: string | null = null;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const next: ListPage = await page(server, after === null ? query : `${query}&after=${encodeURIComponent(after)}`, as);
    tasks.push(...next.tasks);
    after = next.nextAfter;
    if (after === null) return tasks;
    await between?.();
  }
  throw new Error(`The list was to end, and goes on after ${PAGES_MAX} pages.`);
}

const create = (server: ServerUnderTest, label: string, type = 'echo', as: Owner = 'one'): Promise<string> =>
  start(server, type, {}, { as, json: { clientRequestId: someId(), taskType: `conformance.${type}`, input: {}, labels: [label] } });

/** What `GET /tasks` means. Others make tasks of the same owners meanwhile. */
export const listing: readonly Case<ServerUnderTest>[] = [
  {
    id: 'list.own',
    title: 'has the tasks of the caller, each as its snapshot, and no other’s',
    rule,
    better: true,
    missing,
    async run(server) {
      const label = someId();
      const [one, two, three] = [await create(server, label), await create(server, label, 'echo', 'two'), await create(server, label)];
      for (const taskId of [one, three]) await ended(server, taskId);
      const mine = await walk(server, `label=${label}`);
      same(mine.map(({ taskId }) => taskId).sort(), [one, three].sort(), 'the tasks of a label');
      for (const task of mine) same(task, (await call(server, 'GET', `/tasks/${task.taskId}`)).body, 'a task of the list and its snapshot');
      same(
        (await walk(server, `label=${label}`, 'two')).map(({ taskId }) => taskId),
        [two],
        'the tasks of the other owner',
      );
      same((await call(server, 'GET', '/tasks', { as: 'nobody' })).status, 401, 'the status without credentials');
    },
  },
  {
    id: 'list.pages',
    title: 'goes on where a page ended, newest first, and loses and repeats nothing while tasks come',
    rule,
    better: true,
    missing,
    async run(server) {
      const label = someId();
      const before: string[] = [];
      for (let nth = 0; nth < 7; nth += 1) before.push(await create(server, label));
      const seen = await walk(server, `label=${label}&limit=2`, 'one', () => create(server, label));
      same(seen.map(({ taskId }) => taskId).sort(), before.sort(), 'the tasks that were there before the first page');
      const times = seen.map(({ createdAt }) => createdAt);
      same(times, [...times].sort().reverse(), 'the times of a list, newest first');
    },
  },
  {
    id: 'list.filters',
    title: 'has what is of a type, in a state and of a label',
    rule,
    better: true,
    missing,
    async run(server) {
      const label = someId();
      const [echo, waiting] = [await create(server, label), await create(server, label, 'ask')];
      await ended(server, echo);
      const ids = async (more: string) => (await walk(server, `label=${label}&${more}`)).map(({ taskId }) => taskId);
      same(
        [await ids('type=conformance.echo'), await ids('state=completed'), await ids('type=conformance.ask&state=completed')],
        [[echo], [echo], []],
      );
      same(await ids('type=conformance.ask'), [waiting]);
      await call(server, 'POST', `/tasks/${waiting}/cancel`, { json: {} });
      same(await ids('state=cancelled'), [waiting]);
    },
  },
  {
    id: 'list.refusals',
    title: 'refuses a cursor that is none, a limit beyond its bounds, a state and a field that it does not know',
    rule,
    better: true,
    missing,
    async run(server) {
      for (const [field, query] of Object.entries({ after: 'after=1', limit: 'limit=101', state: 'state=done', lable: 'lable=x' })) {
        const answer = await call<{ details: object }>(server, 'GET', `/tasks?${query}`);
        refused(answer, 422, 'REQUEST_VALIDATION_ERROR');
        includes(answer.body.details, { errors: [{ path: field }] }, 'the details');
      }
    },
  },
];
