import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ForkOptions } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import type { Task } from 'taskbridge/adapters/in-process';
import { createTaskBridgeClient, isFact, type TaskBridgeClient } from 'taskbridge/client/node';
import type { Fact, Json, UnknownFact } from 'taskbridge/wire';
import { machineHandler } from '../../examples/machine-work/machine-handler.ts';
import { forkProgram, printed, startProcess, type RunningProcess } from '../support/child-process.ts';
import { freePort } from '../support/free-port.ts';
import { AGAIN_AND_AGAIN } from '../support/patience.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

let folder: TempFolder;
let port = 0;
let host: RunningProcess<RegExpExecArray>;
let client: TaskBridgeClient;

/** Before and after it reserves, asks, and pays. */
const KILLED_AT: readonly string[] = ['TASK_PROGRESS', 'TASK_SUSPENDED'];

const start = (): Promise<RunningProcess<RegExpExecArray>> => {
  const options = { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] } satisfies ForkOptions;
  const fork = () => forkProgram('examples/machine-work/host.ts', [folder.path], options);
  return startProcess('The host of a machine', fork, (child) => printed(child, /port: (\d+)/));
};

beforeEach(async () => {
  folder = await tempFolder('machine-work');
  port = await freePort();
  host = await start();
  client = createTaskBridgeClient({
    baseUrl: `http://127.0.0.1:${port}`,
    auth: () => 'demo',
    limits: { backoffBaseMs: 50, backoffMaxMs: 400, commandRetriesMax: AGAIN_AND_AGAIN },
  });
});
afterEach(async () => {
  await client.close();
  await host.kill();
  await folder.remove();
});

const shopBook = async (): Promise<readonly string[]> =>
  (await readFile(join(folder.path, 'shop.txt'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(line.indexOf(' ') + 1));

it('goes on in the state that was committed last when its host is killed: nothing is asked, shown or paid twice', async () => {
  const { taskId } = await client.start({ taskType: 'checkout', input: { item: 'a kettle', cents: 4900 } });
  const facts: (Fact | UnknownFact)[] = [];
  let question: string | undefined;
  let kills = 0;
  for await (const fact of client.observe(taskId)) {
    facts.push(fact);
    if (isFact(fact, 'TASK_SUSPENDED')) question = fact.payload.suspendId;
    if (isFact(fact, 'TASK_COMPLETED')) break;
    if (KILLED_AT.includes(fact.type)) {
      await host.kill();
      kills += 1;
      host = await start();
    }
    // Whoever is asked thinks until he is reminded.
    if (isFact(fact, 'TASK_MESSAGE') && question !== undefined) await client.act(taskId, { suspendId: question, actionType: 'pay' });
  }
  expect(kills).toBeGreaterThanOrEqual(4);
  const shown = facts.flatMap((fact) => (isFact(fact, 'TASK_PROGRESS') ? [fact.payload.progress] : []));
  expect(shown).toEqual([10, 50, 80]);
  expect(facts.filter(({ type }) => type === 'TASK_SUSPENDED')).toHaveLength(1);
  expect(facts.filter(({ type }) => type === 'TASK_MESSAGE')).toHaveLength(1);
  expect(await shopBook()).toEqual(['reserved a kettle', 'charged 4900']);
  expect(await client.get(taskId)).toMatchObject({ state: 'completed', result: { receipt: 'charged 4900 (charge:3)' } });
});

it('leaves where the person does', async () => {
  const { taskId } = await client.start({ taskType: 'checkout', input: { item: 'a kettle', cents: 4900 } });
  for await (const fact of client.observe(taskId))
    if (isFact(fact, 'TASK_SUSPENDED')) await client.act(taskId, { suspendId: fact.payload.suspendId, actionType: 'leave' });
  expect(await client.get(taskId)).toMatchObject({ state: 'completed', result: { receipt: null } });
  expect(await shopBook()).toEqual(['reserved a kettle']);
});

it('comes to the same where its process is gone between its last step and the end of its task', async () => {
  const machine = createMachine({ initial: 'paid', states: { paid: { type: 'final' } }, output: { receipt: 'charged' } });
  const kept: Json[] = [];
  // As much of a task as a machine without actions asks for.
  const taskWith = (saved?: Json) =>
    ({ taskId: 't', input: {}, saved, save: async (value: Json) => void kept.push(value) }) as unknown as Task;
  const handler = machineHandler(machine);
  expect(await handler(taskWith())).toEqual({ receipt: 'charged' });
  expect(await handler(taskWith(kept.at(-1)))).toEqual({ receipt: 'charged' });
});
