import { once } from 'node:events';
import { createTaskBridgeClient, type TaskBridgeClient } from 'taskbridge/client/node';
import { partOf, taskParts } from 'taskbridge/client/parts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { scriptOf } from '../../examples/agent/scripted-model.ts';
import { forkProgram, heard, startProcess, type RunningProcess } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { AGAIN_AND_AGAIN } from '../support/patience.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';

const QUESTION = 'Do I need a coat? 🧥';
const OPENING = scriptOf({ question: QUESTION });
const ANSWER = scriptOf({ question: QUESTION, weather: 'windy, and dry until six' });

let folder: TempFolder;
let port = 0;
let host: RunningProcess<{ readonly port: number }>;
let client: TaskBridgeClient;

beforeEach(async () => {
  folder = await tempFolder('agent');
  port = await freePort();
  const fork = () => forkProgram('examples/agent/host.ts', ['--data', folder.path, '--port', port, '--word-ms', 20]);
  host = await startProcess('The host of an agent', fork, (child) => heard<{ readonly port: number }>(child));
  client = createTaskBridgeClient({
    baseUrl: `http://127.0.0.1:${port}`,
    auth: () => 'demo',
    parts: taskParts(),
    limits: { backoffBaseMs: 50, backoffMaxMs: 400, commandRetriesMax: AGAIN_AND_AGAIN },
  });
});
afterEach(async () => {
  await client.close();
  await host.kill();
  await folder.remove();
});

it('asks before it uses its tool, and goes on in mid-sentence when its host is killed there, nothing twice', async () => {
  const { taskId } = await client.start({ taskType: 'question.answer', input: { question: QUESTION } });
  const observation = client.observe(taskId);
  const part = partOf(observation, 'answer');
  observation.subscribe(() => undefined);
  await eventually(() => observation.getSnapshot().task.openSuspensions.length === 1);
  await eventually(() => part.text === OPENING);
  expect(part.open).toBe(true);
  const [question] = observation.getSnapshot().task.openSuspensions;
  await client.act(taskId, { suspendId: question?.suspendId ?? '', actionType: 'allow' });
  let text = '';
  let kills = 0;
  for await (const piece of part) {
    expect(piece.reset).toBe(false);
    text += piece.text;
    expect(ANSWER.startsWith(text)).toBe(true);
    if (kills >= 2 || text.length < OPENING.length + 150 * (kills + 1) || text === ANSWER) continue;
    kills += 1;
    await host.kill();
    await host.restart();
  }
  expect(text).toBe(ANSWER);
  expect(kills).toBe(2);
  expect(part.getSnapshot()).toMatchObject({ outcome: 'DONE', truncated: false, restarts: 0 });
  await eventually(() => observation.getSnapshot().task.terminal);
  expect(observation.getSnapshot().task.result).toEqual({ looked: true });
});

it('shows in a terminal what was asked there', async () => {
  const terminal = forkProgram('examples/agent/terminal.ts', ['--yes', QUESTION], {
    env: { ...process.env, HOST: `http://127.0.0.1:${port}` },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let printedText = '';
  terminal.stdout?.on('data', (bytes: Buffer) => (printedText += bytes.toString('utf8')));
  await once(terminal, 'close');
  expect(printedText).toContain(`${ANSWER}\ncompleted: {"looked":true}\n`);
});
