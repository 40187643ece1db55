/** Asks the host, and shows the answer while it grows: `npx tsx examples/agent/terminal.ts "Do I need a coat?"`, or `… --task <id>` for one that was asked elsewhere. */
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { createTaskBridgeClient, isFact } from 'taskbridge/client/node';
import { partOf, taskParts } from 'taskbridge/client/parts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  // `yes` answers what is asked, for those who look only.
  options: { task: { type: 'string' }, yes: { type: 'boolean', default: false } },
});
const client = createTaskBridgeClient({
  baseUrl: process.env['HOST'] ?? 'http://127.0.0.1:3000',
  auth: () => 'demo',
  parts: taskParts(),
  limits: { backoffBaseMs: 50, backoffMaxMs: 500, commandRetriesMax: 1000 },
});
const question = positionals.join(' ') || 'Do I need a coat?';
const taskId = values.task ?? (await client.start({ taskType: 'question.answer', input: { question } })).taskId;
console.log(`task ${taskId}`);
const observation = client.observe(taskId, { lastEventId: '' });

async function decide(): Promise<boolean> {
  if (values.yes) return true;
  const terminal = createInterface(process.stdin, process.stdout);
  const said = await terminal.question('May I look at the weather? [y/n] ');
  terminal.close();
  return said.trim().toLowerCase().startsWith('y');
}

async function answerQuestions(): Promise<void> {
  for await (const fact of observation) {
    if (!isFact(fact, 'TASK_SUSPENDED')) continue;
    const { suspendId } = fact.payload;
    const isOpen = observation.getSnapshot().task.openSuspensions.some((open) => open.suspendId === suspendId);
    if (isOpen) await client.act(taskId, { suspendId, actionType: (await decide()) ? 'allow' : 'refuse' });
  }
}

async function showAnswer(): Promise<void> {
  for await (const { text, reset } of partOf(observation, 'answer')) process.stdout.write(reset ? `\n(again:) ${text}` : text);
  process.stdout.write('\n');
}

await Promise.all([answerQuestions(), showAnswer()]);
console.log(`${observation.getSnapshot().task.state}: ${JSON.stringify(observation.getSnapshot().task.result ?? null)}`);
await client.close();
