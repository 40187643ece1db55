import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleepReally } from 'node:timers';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lmdbStore } from '../../adapters/lmdb/index.ts';
import { thisProcess, type ProcessMark } from '../../adapters/lmdb/process.ts';
import type { Clock } from '../../server/ports/index.ts';
import { sampleTask } from '../conformance/store/samples.ts';
import { patience } from '../support/patience.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { readDuring, startChild, startChildInContainer, type Child } from './children/child.ts';

describe.skipIf(process.platform !== 'linux')('an LMDB folder that containers share', { timeout: patience(60_000) }, () => {
  let path: string;
  let remove: () => Promise<void>;
  let taskId: string;

  beforeEach(async () => {
    ({ path, remove } = await tempFolder('containers'));
    const task = sampleTask();
    taskId = task.taskId;
    const store = lmdbStore({ path });
    await store.open();
    await store.create(task);
    await store.close();
  });
  afterEach(() => remove());

  it('is refused to a second one while the first writes on, both being the process 1 of theirs', async () => {
    const first = startChildInContainer('appends', path, taskId);
    await first.nextLine();
    const second = startChildInContainer('opens', path);
    const { result } = await readDuring(first, second.nextLine());
    expect(result).toMatch(/in use by process 1 in another container \(PID namespace pid:\[\d+\]\), started .*Its heart beats/);
    await second.killHard();
    await expectMore(first);
    await first.killHard();
  });

  it('is had by exactly one of two that open it at once', async () => {
    const children = [1, 2].map(() => startChildInContainer('opens', path));
    const lines = await Promise.all(children.map((child) => child.nextLine()));
    expect(lines.filter((line) => line === 'open')).toHaveLength(1);
    expect(lines.find((line) => line !== 'open')).toContain('in use by process 1 in another container');
    await Promise.all(children.map((child) => child.killHard()));
  });

  it('is refused to a process outside, and taken over when the container was killed', async () => {
    const first = startChildInContainer('appends', path, taskId);
    await first.nextLine();
    const outside = startChild('opens', path);
    expect((await readDuring(first, outside.nextLine())).result).toContain('in use by process 1 in another container');
    await outside.killHard();
    await first.killHard();
    const second = startChildInContainer('appends', path, taskId);
    await second.nextLine();
    await second.killHard();
  });

  it.each([
    ['process 1 too', startChildInContainer],
    ['another process', startChild],
  ])('is not taken from a container that was frozen, by %s; thawed, that writes on', async (_, start) => {
    const first = startChildInContainer('opens-and-writes', path, taskId);
    expect(await first.nextLine()).toBe('open');
    const inside = await childOf(first.pid);
    process.kill(inside, 'SIGSTOP');
    const second = start('opens', path);
    expect(await second.nextLine()).toMatch(/process 1 in another container .*it may be frozen\. Nothing was taken over/);
    await second.killHard();
    process.kill(inside, 'SIGCONT');
    process.kill(inside, 'SIGUSR2');
    expect(await first.nextLine()).toBe('committed');
    await first.killHard();
  });

  describe('and an owner on another machine', () => {
    const elsewhere: ProcessMark = { ...thisProcess(0), pid: 1, boot: 'another-boot', machine: 'another-machine', namespace: 'pid:[1]' };

    it('is refused while its heart beats', async () => {
      await writeOwner(elsewhere);
      let beats = 0;
      const clock = hurried(() => writeHeartbeat(elsewhere, (beats += 1)));
      await expect(lmdbStore({ path, clock }).open()).rejects.toThrow(
        /in use by process 1 on another machine, or on this one before it was booted, .* Its heart beats/,
      );
    });

    it.each([
      ['its heart stands still', () => writeHeartbeat(elsewhere, 7)],
      ['it has left no heartbeat', async () => undefined],
    ])('is taken over, in 40 looks, and with a line, where %s', async (_, leave) => {
      await writeOwner(elsewhere);
      await leave();
      const lines: string[] = [];
      const logger = { warn: (line: string) => void lines.push(line), error: (line: string) => void lines.push(line) };
      let looks = 0;
      const store = lmdbStore({ path, logger, clock: hurried(async () => void (looks += 1)) });
      await store.open();
      expect(looks).toBeGreaterThanOrEqual(40);
      expect(lines).toEqual([
        expect.stringMatching(/opened by process 1 on another machine.*stands still for 20 seconds/),
        expect.stringMatching(/taken over from process 1 on another machine/),
      ]);
      expect(await store.create(sampleTask())).toEqual({ created: true });
      await store.close();
    });
  });

  it('keeps the heartbeat of its owner, and none when it was closed', async () => {
    const store = lmdbStore({ path });
    await store.open();
    const beats = async (): Promise<number> => (JSON.parse(await readFile(join(path, 'owner.json'), 'utf8')) as { beats: number }).beats;
    await expect.poll(beats).toBeGreaterThan(2);
    await store.close();
    await expect(beats()).rejects.toThrow('ENOENT');
  });

  async function expectMore(child: Child): Promise<void> {
    for (let lines = 0; lines < 5; lines += 1) await child.nextLine();
  }

  // The owner's row and file are this adapter's own business; the tests write them to stand in for another machine.
  async function writeOwner(owner: ProcessMark): Promise<void> {
    await mkdir(path, { recursive: true });
    const rows = open<Buffer>({ path, noSubdir: false, encoding: 'binary', overlappingSync: false });
    await rows.put(['o'], Buffer.from(JSON.stringify(owner)));
    await rows.close();
  }

  function writeHeartbeat(owner: ProcessMark, beats: number): Promise<void> {
    return writeFile(join(path, 'owner.json'), JSON.stringify({ ...owner, beats }));
  }
});

/** A clock whose waits pass at once, after something has happened. */
function hurried(meanwhile: () => Promise<unknown>): Clock {
  return {
    now: () => 0,
    setTimeout: (fn) => sleepReally(() => void meanwhile().then(fn), 1),
    clearTimeout: (id) => clearTimeout(id as NodeJS.Timeout),
  };
}

async function childOf(pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim());
}
