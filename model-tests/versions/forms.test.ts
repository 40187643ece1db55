import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { memoryStore } from 'taskbridge/adapters/memory';
import { systemChance, type NewTask } from 'taskbridge/server';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { commitOf, sampleTask, wakes } from '../conformance/store/samples.ts';
import { forms, storedTexts, storeForms, versionIn, type Form } from './forms.ts';
import { stillClock, scenarioHost } from './scenario.ts';

const golden = (file: string) => new URL(`golden/${file}`, import.meta.url);
const linesOf = (file: string): readonly string[] => readFileSync(golden(file), 'utf8').trimEnd().split('\n');
const fileOf = ({ name, version }: Pick<Form, 'name' | 'version'>, lines: readonly string[]): string =>
  version === null ? `${name}.txt` : `${name}.v${versionIn(lines)}.txt`;

/** The date stands still, but waits do not: what is written a moment later has the next millisecond. */
function toTheMinute(text: string): string {
  return text
    .replaceAll(/\b17672\d{8}\b/g, (ms) => String(Number(ms) - (Number(ms) % 60_000)))
    .replaceAll(/(2026-01-01T12:\d\d):\d\d\.\d{3}Z/g, '$1:00.000Z');
}

describe('what outlives the code that wrote it', () => {
  it.each(forms)('has its golden text: $name', async (form) => {
    const lines = (await form.lines()).map(toTheMinute);
    expect(lines.length).toBeGreaterThan(0);
    const file = fileOf(form, lines);
    // A text that stands is never written over.
    if (!existsSync(golden(file)) && process.env['KEEP_FORMS'] === '1') writeFileSync(golden(file), `${lines.join('\n')}\n`);
    const elsewhere = form.versionElsewhere && `Raise the version in ${form.versionElsewhere}, and keep the new text`;
    const inside = form.version === null ? 'It has no version yet: give it one first' : `Raise ${form.version}`;
    const how = elsewhere ?? `${inside}, and upcast the older one`;
    const message = `The form "${form.name}" (${form.writtenIn}) is not what ${file} has. ${how}; see CONTRIBUTING, "To change a stored form".`;
    expect(existsSync(golden(file)) ? linesOf(file) : [], message).toEqual(lines);
  });

  it('gives every text of a store exactly one form', async () => {
    const strangers = (await storedTexts()).filter(
      ({ part, name }) => storeForms.filter((form) => form.part === part && form.names.test(name)).length !== 1,
    );
    expect(strangers.map(({ part, name }) => `${part} ${name}`)).toEqual([]);
  });

  it('has no golden text without a form', () => {
    const strangers = readdirSync(golden('.')).filter((file) => !forms.some(({ name }) => file.replace(/(\.v\d+)?\.txt$/, '') === name));
    expect(strangers).toEqual([]);
  });
});

/** Each version of each form of a task that was ever kept. */
const kept = storeForms.flatMap(({ name }) =>
  readdirSync(golden('.'))
    .filter((file) => file.replace(/(\.v\d+)?\.txt$/, '') === name)
    .map((file) => ({ name, file })),
);

describe('a task that waits', () => {
  it.each(kept)('is read, answered and ended where one form is that of $file', async ({ name, file }) => {
    const store = memoryStore({ clock: stillClock });
    const taskId = await restore(store, name, file);
    const host = await scenarioHost(store, systemChance);
    onTestFinished(host.close);
    const [question] = (await host.snapshot(taskId)).suspensions;
    const waiting = await host.snapshot(taskId);
    expect(waiting).toMatchObject({ state: 'suspended', progress: { progress: 40, stage: 'reading' } });
    expect(waiting).toMatchObject({
      input: { pages: 2 },
      metadata: { from: 'a test' },
      createdAt: expect.stringMatching(/^2026-01-01T12:00:/) as string,
    });
    const named = file === 'about.v3.txt' ? { title: 'A story', labels: ['July', 'ward 7'] } : { title: undefined, labels: undefined };
    expect({ title: waiting.title, labels: waiting.labels }).toEqual(named);
    expect(question).toMatchObject({ reasonCode: 'CONFIRM', uiHints: { title: 'Sure?' } });
    const answered = { suspendId: 'first', actionType: 'keep', payload: { why: 'it is good' }, metadata: { by: 'alice' } };
    const [first = ''] = (await storedTexts()).flatMap(({ name: field }) => (field.startsWith('s:first') ? [field.slice(2)] : []));
    expect((await host.act(taskId, { ...answered, suspendId: first, clientActionId: 'the keep' })).status).toBe('DEDUPLICATED');
    await host.act(taskId, { suspendId: question?.suspendId ?? '', actionType: 'yes', clientActionId: 'the yes' });
    await vi.waitUntil(async () => (await host.snapshot(taskId)).state === 'failed');
    expect((await host.snapshot(taskId)).failure).toEqual({ code: 'STOPPED', message: 'Somebody said yes.', retryable: true });
  });
});

/** Puts the task of the scenario into a store as it waited, all in today's forms but for one. */
async function restore(store: ReturnType<typeof memoryStore>, name: string, file: string): Promise<string> {
  const fields: Record<string, string> = {};
  const keptValues: Record<string, string> = {};
  for (const form of storeForms) {
    const today = await forms.find((one) => one.name === form.name)?.lines();
    for (const line of form.name === name ? linesOf(file) : (today ?? [])) {
      const [, moment, field = '', text = ''] =
        /^(\S+) (task|ledger|sources|about|content|saved|s:\S+|a:\S+|r:.+?) ([{\d"[].*)$/.exec(line) ?? [];
      if (moment === 'waiting') (form.part === 'field' ? fields : keptValues)[field] = text;
    }
  }
  const { taskId, requestKey, owner, taskType } = JSON.parse(fields['about'] ?? '{}') as Pick<
    NewTask,
    'taskId' | 'requestKey' | 'owner' | 'taskType'
  >;
  const { lastEventId } = JSON.parse(fields['task'] ?? '{}') as { readonly lastEventId: string };
  await store.open();
  await store.create(sampleTask({ taskId, requestKey, owner, taskType, fields, sideValues: keptValues, plan: wakes(0) }));
  const [count, ms] = lastEventId.split('-').map(Number);
  const facts = Array.from({ length: count ?? 0 }, (_, i) => ({
    // Nobody reads these facts: the head says what became of them.
    eventId: `${i + 1}-${ms}` as never,
    bytes: Buffer.from('{}'),
  }));
  await store.append(commitOf(taskId, 1, { facts, plan: wakes(0) }));
  return taskId;
}
