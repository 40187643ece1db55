import { readFile } from 'node:fs/promises';
import { createTaskBridgeClient, type TaskBridgeClient } from 'taskbridge/client/node';
import type { Fact, UnknownFact } from 'taskbridge/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHost, type HostProcess } from '../../examples/report/host-process.ts';
import type { Report } from '../../examples/report/job/index.ts';
import { downloadCleaned } from '../../examples/report/download.ts';
import { readLog } from '../../examples/report/log.ts';
import { proveLog, proveReport } from '../../examples/report/proof.ts';
import { startProxy, type Proxy } from '../../examples/report/proxy.ts';
import { turns } from '../support/eventually.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { tempFolder, type TempFolder } from '../support/temp-folder.ts';
import { AGAIN_AND_AGAIN } from '../support/patience.ts';

/** `KILLS=50 npx vitest run model-tests/examples/report-kills` for more of them; `SEED` to see the same moments again. */
const KILLS = Number(process.env['KILLS'] ?? 5);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const TOKEN = 'ada';
/** Facts of an undisturbed task, a little fewer than there are; 0 is the moment after the create. */
const FACTS = 150;

let folder: TempFolder;
let csv: Uint8Array = new Uint8Array();
let host: HostProcess;
let proxy: Proxy;
let client: TaskBridgeClient;

beforeAll(async () => {
  folder = await tempFolder('report-kills');
  csv = await readFile(new URL('../../examples/report/orders.csv', import.meta.url));
  host = await startHost(folder.path);
  proxy = await startProxy(() => host.port);
  client = createTaskBridgeClient({
    baseUrl: proxy.url,
    auth: () => TOKEN,
    limits: { backoffBaseMs: 50, backoffMaxMs: 400, climbIntervalMs: 400, openMs: 5000, commandRetriesMax: AGAIN_AND_AGAIN },
  });
});
afterAll(async () => {
  await client.close();
  await proxy.close();
  await host.stop();
  await folder.remove();
});

type Moment = (latest: Fact | UnknownFact | undefined, count: number) => boolean;

/** Runs one report to its end while the host is killed, and started again, at each of the moments; proves everything that the demo proves. */
async function surviveKills(moments: readonly Moment[], nth: number): Promise<void> {
  const attachments = [{ fileName: 'orders.csv', content: csv }];
  const { taskId } = await client.start({ taskType: 'report.build', input: { paceSeconds: 0.5 }, attachments });
  const observation = client.observe(taskId);
  // A subscriber beside the iterator, as a screen would be.
  observation.subscribe(() => undefined);
  const facts: (Fact | UnknownFact)[] = [];
  const ahead = [...moments];
  let restarted = Promise.resolve();
  let answered: Promise<unknown> | undefined;
  const watchOut = () => {
    if (!ahead[0]?.(facts.at(-1), facts.length)) return;
    ahead.shift();
    restarted = restarted.then(async () => {
      // A moment within a commit, rather than between two.
      await turns(seededRandom(`${SEED}/turns ${nth}`).below(200));
      await host.kill();
      await host.restart();
    });
  };
  watchOut();
  for await (const fact of observation) {
    facts.push(fact);
    watchOut();
    if (fact.type !== 'TASK_SUSPENDED') continue;
    const { suspendId } = (fact as Fact<'TASK_SUSPENDED'>).payload;
    answered ??= client.act(taskId, { suspendId, actionType: 'keep-last' });
  }
  await Promise.all([restarted, answered]);
  expect(ahead).toHaveLength(0);
  const baseUrl = `http://127.0.0.1:${host.port}`;
  const stored = await readLog(baseUrl, TOKEN, taskId);
  const last = stored.at(-1);
  const report = last?.type === 'TASK_COMPLETED' ? (last.payload.result as unknown as Report) : undefined;
  const cleaned = () => downloadCleaned(client, taskId, report?.cleaned.name ?? '', TOKEN);
  const proofs = [...proveLog(facts, observation.getSnapshot().task.aggregate, stored), await proveReport(csv, report, cleaned)];
  expect(proofs.filter(({ faults }) => faults.length > 0)).toEqual([]);
  expect(report?.duplicates.answer).toBe('keep-last');
}

describe(`a report whose server is killed (SEED=${SEED}) loses nothing, does nothing twice and asks nothing twice`, () => {
  const random = seededRandom(SEED);
  const randomly = Array.from({ length: KILLS }, (_, kill) => ({ kill: kill + 1, atFact: random.below(FACTS) }));

  it.each(randomly)('killed at fact $atFact (kill $kill)', async ({ kill, atFact }) => {
    await surviveKills([(_, count) => count >= atFact], kill);
  });

  it('killed while it asks', () => surviveKills([(latest) => latest?.type === 'TASK_SUSPENDED'], 1));

  it('killed with the answer', () => surviveKills([(latest) => latest?.type === 'TASK_ACTION_ACCEPTED'], 2));

  it('killed while it ends', () => {
    const isLastMessage: Moment = (latest) => latest?.type === 'TASK_MESSAGE' && JSON.stringify(latest.payload).includes('Kept');
    return surviveKills([isLastMessage], 3);
  });

  it('killed again and again', async () => {
    await surviveKills(
      [10, 45, 80, 110, 140].map((fact) => (_, count) => count >= fact),
      4,
    );
  });
});
