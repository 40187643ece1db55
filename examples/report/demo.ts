/**
 * One task, start to finish, over a connection that is cut in every way. `npm run demo -- [path/to/file.csv] [--calm] [--answer keep-first]`
 */
import { mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createTaskBridgeClient } from 'taskbridge/client/node';
import { openSuspensions } from 'taskbridge/machines';
import { startHost } from './host-process.ts';
import { answers, type Answer, type Report } from './job/index.ts';
import { readLog } from './log.ts';
import { questionLines } from './fact-text.ts';
import { readDemoOptions, type DemoOptions } from './demo-options.ts';
import { proveLog, proveReport, proveFaultsSurvived } from './proof.ts';
import { startProxy } from './proxy.ts';
import { openScreen, type Screen } from './screen.ts';
import { injectWhileReading, injectWhileWriting, type FaultTally } from './fault-injection.ts';
import { downloadCleaned } from './download.ts';
import { watchTask } from './watched-task.ts';
import { opening, result, summary } from './demo-text.ts';

const TOKEN = 'ada';
const PACE_SECONDS = { calm: 4, troubled: 8 };
/** Far below the defaults, so that falling and climbing are over in seconds. */
const limits = {
  openMs: 2000,
  // Large files take their time to arrive.
  commandTimeoutMs: 600_000,
  backoffBaseMs: 150,
  backoffMaxMs: 600,
  climbIntervalMs: 500,
  provingMs: 1000,
  pollWaitMs: 2000,
  emptyPauseMs: 100,
};

/** Aborts when the person has had enough. */
const interrupted = new AbortController();
const undo: (() => Promise<unknown>)[] = [];

async function run(order: DemoOptions, directory: string): Promise<boolean> {
  const { screen, paint } = openScreen();
  undo.push(async () => screen.close());
  const say = (text: string) => screen.line(paint(`       ${text}`, 'cyan'));
  const csv = await readFile(order.path);
  const host = await startHost(directory, { log: (line) => screen.line(paint(`       ${line}`, 'dim')) });
  undo.push(() => host.stop());
  const proxy = await startProxy(() => host.port);
  undo.push(() => proxy.close());
  const client = createTaskBridgeClient({ baseUrl: proxy.url, auth: () => TOKEN, webSocketTries: 2, eventStreamTries: 2, limits });
  undo.push(async () => client.close());
  for (const line of opening(order, csv.length, host.pid, limits)) screen.line(line);

  const { taskId } = await client.start({
    taskType: 'report.build',
    input: { findingsMax: 15, paceSeconds: PACE_SECONDS[order.calm ? 'calm' : 'troubled'] },
    attachments: [{ fileName: basename(order.path), contentType: 'text/csv', content: csv }],
  });
  const task = watchTask(client, taskId, screen, paint);
  undo.push(async () => task.close());

  const tally: FaultTally = { cuts: 0, blocks: 0, kills: 0, survived: 0, climbed: false };
  const reading = order.calm ? Promise.resolve() : injectWhileReading(task, proxy, tally, say);
  const asks = await task.until(() => openSuspensions(task.aggregate()).length > 0);
  await reading;
  if (asks) {
    const suspendId = openSuspensions(task.aggregate())[0]?.suspendId ?? '';
    for (const line of questionLines(task.aggregate(), paint)) screen.line(line);
    if (!order.answer && !screen.interactive) say('answers keep-first, since there is no terminal to ask');
    await client.act(taskId, { suspendId, actionType: order.answer ?? (screen.interactive ? await ask(screen) : 'keep-first') });
  }
  if (!order.calm) await injectWhileWriting(task, host, tally, say);
  await task.ended;
  screen.close();

  const baseUrl = `http://127.0.0.1:${host.port}`;
  const stored = await readLog(baseUrl, TOKEN, taskId);
  const last = stored.at(-1);
  // The result is what `buildReport` returned.
  const report = last?.type === 'TASK_COMPLETED' ? (last.payload.result as unknown as Report) : undefined;
  const cleaned = () => downloadCleaned(client, taskId, report?.cleaned.name ?? '', TOKEN);
  const proofs = [...proveLog(task.facts, task.aggregate(), stored), await proveReport(csv, report, cleaned)];
  if (!order.calm) proofs.push(proveFaultsSurvived(tally));
  if (report) {
    const path = join(directory, report.cleaned.name);
    await writeFile(path, Buffer.from(await (await cleaned()).arrayBuffer()));
    for (const line of result(report, path)) screen.line(line);
  }
  for (const line of summary(proofs, paint)) screen.line(line);
  return proofs.every(({ faults }) => faults.length === 0);
}

async function ask(screen: Screen): Promise<Answer> {
  for (;;) {
    const choices = answers.map((answer, index) => `${index + 1} ${answer}`).join(', ');
    const given = (await screen.ask(`   ${choices}? `, interrupted.signal)).trim();
    const answer = answers.find((known, index) => given === known || given === String(index + 1));
    if (answer) return answer;
  }
}

/** The cleaned file stays: whoever gave a file of their own wants it. */
async function sweep(directory: string): Promise<void> {
  for (const name of ['store', 'attachments', 'work']) await rm(join(directory, name), { recursive: true, force: true });
  await rmdir(directory).catch(() => undefined);
}

async function clean(): Promise<void> {
  for (const step of undo.splice(0).reverse()) await step().catch(() => undefined);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => {
    interrupted.abort();
    void clean().then(() => process.exit(code));
  });

try {
  const order = readDemoOptions(process.argv.slice(2));
  const directory = await mkdtemp(join(tmpdir(), 'taskbridge-demo-'));
  undo.push(() => sweep(directory));
  process.exitCode = (await run(order, directory)) ? 0 : 1;
} catch (error) {
  process.exitCode = 1;
  if (!interrupted.signal.aborted) console.error(error instanceof Error ? error.message : error);
}
await clean();
// Node 20 may spin for ever in its own clean-up at a natural end after a forked process is gone; everything of ours is closed by now.
// After a signal, its own handler ends the process.
if (!interrupted.signal.aborted) process.exit();
