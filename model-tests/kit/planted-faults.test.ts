import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryStore } from '../../adapters/memory/index.ts';
import { runSuite, serverSuite } from '../conformance/index.ts';
import { faultyProxy, type PlantedFault } from './faulty-proxy.ts';
import { startOurServer, type OurServer } from './our-server.ts';

let ours: OurServer;
beforeAll(async () => {
  const store = memoryStore();
  ours = await startOurServer(() => store);
});
afterAll(() => ours.close());

/** What the kit says of our server with a fault: the first reasons, by case. */
async function reasonsFor(fault: PlantedFault, ...ids: string[]): Promise<Readonly<Record<string, string>>> {
  const front = await faultyProxy(ours.world.baseUrl, fault);
  const world = { ...ours.world, baseUrl: front.baseUrl };
  const results = await runSuite(serverSuite, async () => world, { atOnce: 4, only: (id) => ids.includes(id) });
  await front.close();
  return Object.fromEntries(results.flatMap(({ id, outcome, why = '' }) => (outcome === 'failed' ? [[id, why]] : [])));
}

test('a server that answers 201 to a create that it knows is told the statuses, the rule, and both requests', async () => {
  const status: PlantedFault['status'] = (given, method, path) =>
    method === 'POST' && path.endsWith('/tasks') && given === 200 ? 201 : given;
  const { 'create.again': why = '', ...others } = await reasonsFor({ status }, 'create.new', 'create.again', 'action.again');
  expect(others).toEqual({});
  expect(why).toContain('first [0], which was to be 200 and is 201');
  expect(why).toContain('rule: docs/protocol.md, Requests: Create');
  expect(why).toMatch(/→ POST \/api\/v1\/tasks \{"clientRequestId":"conformance-[\w-]+".*"from":"there".*\n *← 201 to POST/);
});

test('a server that sends a fact over SSE without its id is told which one, and what came', async () => {
  const text: PlantedFault['text'] = (given, path) => (path.includes('/stream') ? given.replace(/^id: ?3-.*\n/m, '') : given);
  const { 'sse.form': why = '', ...others } = await reasonsFor({ text }, 'sse.form', 'sse.live', 'create.new');
  expect(others).toEqual({});
  expect(why).toMatch(/first \[2\]\[0\], which was to be '3-\d+' and is undefined/);
  expect(why).toContain('rule: docs/protocol.md, Server-sent events');
  expect(why).toMatch(/← event stream \{"type":"TASK_PROGRESS".*"eventId":"3-.*\n *← event stream id: 4-\d+ \{"type"/);
});

test('a server whose pages leave a fact out is told which one, and what stands around it', async () => {
  const text: PlantedFault['text'] = (given, path) =>
    path.includes('/events?') ? given.replace(/\{"type":"TASK_PROGRESS","taskId":"\w+","eventId":"4-\d+".*?\}\},/, '') : given;
  const { 'poll.pages': count = '', 'sse.live': why = '', ...others } = await reasonsFor({ text }, 'poll.pages', 'sse.live', 'sse.form');
  expect(others).toEqual({});
  expect(count).toContain('the number of facts');
  expect(why).toMatch(/first \[3\]\.eventId, which was to be '5-\d+' and is '4-\d+'/);
  expect(why).toMatch(/which are \[1\] and following of 102/);
});

test('a server whose list ends too soon, or shows a task twice, is told what is missing, and what came twice', async () => {
  const isList = (path: string): boolean => path.includes('/tasks?');
  const short: PlantedFault['text'] = (given, path) => (isList(path) ? given.replace(/"nextAfter":"[^"]+"/, '"nextAfter":null') : given);
  const { 'list.pages': missing = '', ...others } = await reasonsFor({ text: short }, 'list.pages', 'list.refusals');
  expect(others).toEqual({});
  expect(missing).toContain('the tasks that were there before the first page differ');
  const doubled: PlantedFault['text'] = (given, path) =>
    isList(path) ? given.replace(/\[(\{.*?\})(,\{"taskId.*)?\],"next/, '[$1,$1$2],"next') : given;
  const { 'list.own': twice = '' } = await reasonsFor({ text: doubled }, 'list.own');
  expect(twice).toContain('the tasks of a label differ');
});
