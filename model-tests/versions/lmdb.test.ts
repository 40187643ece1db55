import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { proveWhole, type Log } from '../redis/proof.ts';
import { patience } from '../support/patience.ts';
import { startHost, type HostProcess } from './host-process.ts';
import { openBuildFolder, type Version, type BuildFolder } from './release.ts';
import { isQuestion, questionOf, requestsTo, resultOf, shownByAll, watch, watchEveryWay, type Answer } from './wire.ts';

const STEPS = 10;

/** Tasks at every point of their lives, and what the host that made them said of each. */
interface Left {
  readonly name: string;
  readonly taskId: string;
  readonly log: Log;
  readonly snapshot: Answer;
}

describe('0.1.0 and today, one after the other on one LMDB folder', { timeout: patience(180_000) }, () => {
  const versions = new Map<string, Version>();
  let folder: BuildFolder;
  let path: string;
  let host: HostProcess | undefined;

  const open = async (name: string): Promise<HostProcess> => {
    const version = versions.get(name);
    if (!version) throw new Error(`There is no version ${name} here.`);
    return (host = await startHost(version, { lmdb: path }));
  };

  beforeAll(async () => {
    folder = await openBuildFolder();
    path = await mkdtemp(join(tmpdir(), 'taskbridge-versions-lmdb-'));
    for (const version of await Promise.all([folder.unpack('0.1.0'), folder.today()])) versions.set(version.name, version);
  });
  afterEach(() => host?.kill());
  afterAll(async () => {
    await rm(path, { recursive: true, force: true });
    await folder.clear();
  });

  it('refuse each other while they run, and take over from each other when they are killed', async () => {
    for (const [owner, other] of [
      ['today', '0.1.0'],
      ['0.1.0', 'today'],
    ] as const) {
      const first = await open(owner);
      await expect(open(other), `${other} beside ${owner}`).rejects.toThrow('ended before it listened');
      host = first;
      expect((await requestsTo(first.url).create(taskOf('ended', `beside ${other}`))).status, `${owner} beside ${other}`).toBe(201);
      await first.kill();
      await (await open(other)).kill();
    }
    await (await open('today')).close();
  });

  it('today reads, continues, answers and ends all that 0.1.0 left, and again what that does to the folder afterwards', async () => {
    const first = await open('0.1.0');
    const left = await leaveTasks(first.url, 'by 0.1.0');
    await first.kill();

    const second = await open('today');
    const requests = requestsTo(second.url);
    for (const { name, taskId, log, snapshot } of left) {
      expect(shownByAll(await requests.get(taskId)), name).toEqual(snapshot);
      const lastEventId = log.at(-1)?.eventId;
      for (const same of await watchEveryWay(second.url, taskId, ({ eventId }) => eventId === lastEventId)) expect(same, name).toEqual(log);
      const again = await requests.create(taskOf(name, 'by 0.1.0'));
      expect(again, name).toMatchObject({ status: 200, body: { taskId, deduplicated: true } });
    }
    const [asked, answered, ended, cancelled] = left;
    if (!asked || !answered || !ended || !cancelled) throw new Error('Four tasks were left.');

    // Asked before, answered now: the work is done again from what was saved.
    const act = (taskId: string, log: Log) => requests.act(taskId, questionOf(log), 'yes', 'one');
    expect((await act(asked.taskId, asked.log)).body.status).toBe('ACCEPTED');
    const whole = await watch(second.url, asked.taskId);
    proveWhole(whole, STEPS);
    expect(whole.slice(0, asked.log.length)).toEqual(asked.log);
    expect(resultOf(whole)).toEqual({ counted: STEPS, attempt: 2 });
    // Answered before: its receipt is known.
    expect((await act(answered.taskId, answered.log)).body.status).toBe('DEDUPLICATED');
    expect((await requests.cancel(ended.taskId)).body.status).toBe('ALREADY_TERMINAL');
    expect((await requests.cancel(cancelled.taskId)).body.status).toBe('ALREADY_TERMINAL');
    expect(second.lines.filter(({ level }) => level === 'error')).toEqual([]);
    await second.close();

    // What today wrote is too new for it, see `newer.test.ts`; all else it does as ever.
    const back = await open('0.1.0');
    expect((await requestsTo(back.url).get(asked.taskId)).status).toBe(503);
    const more = await leaveTasks(back.url, 'by 0.1.0 after today');
    await back.close();

    const again = await open('today');
    expect(await watch(again.url, asked.taskId)).toEqual(whole);
    for (const { name, taskId, snapshot } of more) expect(shownByAll(await requestsTo(again.url).get(taskId)), name).toEqual(snapshot);
    const [late] = more;
    if (!late) throw new Error('Four tasks were left.');
    expect((await requestsTo(again.url).act(late.taskId, questionOf(late.log), 'yes', 'one')).body.status).toBe('ACCEPTED');
    proveWhole(await watch(again.url, late.taskId), STEPS);
    await again.close();
  });
});

function taskOf(name: string, whose: string) {
  const clientRequestId = `${name} ${whose}`;
  return name === 'cancelled'
    ? { clientRequestId, taskType: 'wait' }
    : { clientRequestId, taskType: 'count', input: { to: STEPS, ask: name !== 'ended' } };
}

/** A task that waits for an answer, one that was answered and has ended, one that ended without a question, one that was cancelled. */
async function leaveTasks(url: string, whose: string): Promise<readonly Left[]> {
  const requests = requestsTo(url);
  const leave = async (name: string, live: (taskId: string) => Promise<Log>): Promise<Left> => {
    const { body } = await requests.create(taskOf(name, whose));
    const taskId = body.taskId ?? '';
    const log = await live(taskId);
    return { name, taskId, log, snapshot: await requests.get(taskId) };
  };
  const ask = (taskId: string) => watch(url, taskId, { until: isQuestion });
  return Promise.all([
    leave('asked', ask),
    leave('answered', async (taskId) => {
      await requests.act(taskId, questionOf(await ask(taskId)), 'yes', 'one');
      return watch(url, taskId);
    }),
    leave('ended', (taskId) => watch(url, taskId)),
    leave('cancelled', async (taskId) => {
      await watch(url, taskId, { until: ({ type }) => type === 'TASK_STARTED' });
      await requests.cancel(taskId);
      return watch(url, taskId);
    }),
  ]);
}
