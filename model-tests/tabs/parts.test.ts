import type { ClientReport } from 'taskbridge/client';
import { partOf, taskParts } from 'taskbridge/client/parts';
import { expect, test } from 'vitest';
import { answerOf, partHost, type WritingTask } from '../client/part-host.ts';
import { eventually } from '../support/eventually.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { browser, untilLeading, type Tab } from './tabs-harness.ts';

const STEP = 400;

async function write(task: WritingTask, text: string): Promise<void> {
  for (let at = 0; at < text.length; at += STEP) await task.order({ write: text.slice(at, at + STEP) });
}

/** Reads an answer in a tab, and notes what of it was no beginning. */
function reading({ client }: Tab, taskId: string, whole: string, lastEventId?: string | null) {
  const observation = client.observe(taskId, lastEventId ? { lastEventId } : {});
  const part = partOf(observation, 'answer');
  const read = { text: '', resets: 0, wrong: 0 };
  const done = (async () => {
    for await (const { text, reset } of part) {
      read.resets += reset ? 1 : 0;
      read.text += text;
      if (!whole.startsWith(read.text)) read.wrong += 1;
    }
  })();
  return { observation, part, read, done };
}

test('tabs that come at different moments, and lose their leader, all end with the very text, by one socket at a time', async () => {
  const whole = answerOf(seededRandom('tabs'), 30_000);
  const host = await partHost();
  const task = await host.start();
  const reports: ClientReport[] = [];
  const open = browser(host.baseUrl);
  const tab = (): Tab => open({ parts: taskParts(), onReport: (report) => void reports.push(report) });
  const first = tab();
  await untilLeading(first);
  const one = reading(first, task.taskId, whole);
  await task.order({ open: 'answer' });
  await eventually(() => one.part.open);
  await write(task, whole.slice(0, 5_000));
  await eventually(() => one.part.text === whole.slice(0, 5_000));

  // It begins where the others are long beyond.
  const second = reading(tab(), task.taskId, whole);
  await eventually(() => second.part.text === whole.slice(0, 5_000));
  await write(task, whole.slice(5_000, 12_000));
  // It has all facts, and none of the text.
  const third = reading(tab(), task.taskId, whole, one.observation.getSnapshot().task.lastEventId);
  await eventually(() => [one, second, third].every(({ part }) => part.text === whole.slice(0, 12_000)));

  // Their leader is gone: another one leads, and they go on from where they are.
  one.done.catch(() => undefined);
  await first.close();
  await write(task, whole.slice(12_000));
  const late = reading(tab(), task.taskId, whole);
  await task.order({ end: true });
  await task.order({ finish: true });
  await Promise.all([second.done, third.done, late.done]);
  for (const { read } of [second, third, late]) {
    expect(read.text === whole).toBe(true);
    expect(read).toMatchObject({ resets: 0, wrong: 0 });
  }
  expect(reports.filter(({ type }) => type === 'malformed')).toEqual([]);
  expect(reports.filter((report) => 'reason' in report && report.reason === 'a hole in a part')).toEqual([]);
});

test('a tab whose client takes no parts goes on with facts, beside others that do', async () => {
  const host = await partHost();
  const task = await host.start();
  const reports: ClientReport[] = [];
  const open = browser(host.baseUrl);
  const first = open({ parts: taskParts() });
  await untilLeading(first);
  const part = partOf(first.client.observe(task.taskId), 'answer');
  part.subscribe(() => undefined);
  const types: string[] = [];
  const reader = (async () => {
    for await (const { type } of open({ onReport: (report) => void reports.push(report) }).client.observe(task.taskId)) types.push(type);
  })();
  await task.order({ open: 'answer' });
  await eventually(() => types.includes('TASK_PART_OPENED'));
  await task.order({ write: 'some text' });
  await eventually(() => part.text === 'some text');
  await task.order({ end: true });
  await task.order({ finish: true });
  await reader;
  expect(types).toEqual(['TASK_STARTED', 'TASK_PART_OPENED', 'TASK_PART_CLOSED', 'TASK_COMPLETED']);
  expect(reports).toEqual([]);
});
