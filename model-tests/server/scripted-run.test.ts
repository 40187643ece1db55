import { beforeAll, describe, expect, test } from 'vitest';
import { metricsTable, recordsTable, type MetricName, type RecordName } from '../../server/observability/index.ts';
import { eventually } from '../support/eventually.ts';
import { play, SECRET, world, type Told, type World } from './scripted-run.ts';

type Counts = ReadonlyMap<string, number>;

describe('a scripted run', () => {
  let run: World;
  let counts: Counts;

  beforeAll(async () => {
    const told: Told[] = [];
    run = await world(told);
    await play(run);
    await run.close();
    const brief = await world(told, { retainedAfterEndMs: 500 });
    await brief.client().start({ taskType: 'fail', clientRequestId: 'r6' });
    await eventually(() => told.some(({ message }) => message === 'task.retention.pruned'));
    await brief.close();
    ({ counts } = run);
  });

  const counted = (name: MetricName, ...tags: readonly string[]): number => counts.get(`${name}${tags.join('')}`) ?? 0;

  test('counts each thing that happened, with the meaning of its metric', () => {
    expect({
      starts: counted('task_starts_total'),
      duplicates: counted('duplicates_total'),
      cancels: counted('cancels_total'),
      failures: counted('task_failures_total'),
      accepted: counted('actions_accepted_total'),
      pending: counted('actions_resume_pending_total'),
      actions: ['ACCEPTED', 'DEDUPLICATED', 'REJECTED_ALREADY_RESOLVED'].map((status) => counted('actions_total', `{status=${status}}`)),
    }).toEqual({
      // r1, r3, r4, r5, r7, r8; a refused start is one.
      starts: 6,
      // r1 again, a1 again, and r3, which the client sends again after its 503.
      duplicates: 3,
      // r5 and r8.
      cancels: 2,
      // The refused one, the one that failed, and the one that the close found at work.
      failures: 3,
      accepted: 1,
      pending: 1,
      actions: [1, 1, 1],
    });
  });

  test('counts who came down, and who went on after a cursor, on the transport where it was', () => {
    expect(['ws', 'sse', 'poll'].map((transport) => counted('fallbacks_total', `{transport=${transport}}`))).toEqual([0, 1, 1]);
    for (const transport of ['ws', 'sse', 'poll']) expect(counted('replays_total', `{transport=${transport}}`)).toBeGreaterThan(0);
    expect(counted('replays_total', '{transport=sse}')).toBe(1);
  });

  test('shows how many streams are open, up and down to none', () => {
    for (const transport of ['ws', 'sse']) {
      const values = run.gauges.flatMap((line) =>
        line.startsWith(`streams_active{transport=${transport}}`) ? [Number(line.split(' ')[1])] : [],
      );
      expect(Math.max(...values)).toBeGreaterThan(0);
      expect(values.at(-1)).toBe(0);
    }
  });

  test('shows each metric of the table, with its tags, and no other', () => {
    const seen = new Map(
      [...counts.keys(), ...run.gauges].map((key) => [key.split(/[{ ]/)[0], [...key.matchAll(/\{(\w+)=/g)].map(([, tag]) => tag)]),
    );
    expect(Object.fromEntries([...seen].sort())).toEqual(
      Object.fromEntries(
        Object.entries(metricsTable)
          .map(([name, { tags }]) => [name, [...tags]] as const)
          .sort(),
      ),
    );
  });

  test('moves each metric of the table: a count from nothing, a gauge to and fro, a distribution to above nothing', () => {
    const valuesOf = (name: string): number[] =>
      run.gauges.flatMap((line) => (line.split(/[{ ]/)[0] === name ? [Number(line.slice(line.lastIndexOf(' ')))] : []));
    const totalOf = (name: string): number => [...counts].reduce((sum, [key, value]) => sum + (key.split('{')[0] === name ? value : 0), 0);
    const still = Object.entries(metricsTable).filter(([name, { kind }]) => {
      const values = valuesOf(name);
      if (kind === 'counter') return totalOf(name) === 0;
      return kind === 'gauge' ? new Set(values).size < 2 : values.length === 0 || values.every((value) => value <= 0);
    });
    expect(still.map(([name]) => name)).toEqual([]);
  });

  test('counts attempts, those that were given up, and gaps, by their kind', () => {
    // r3 is refused by its executor and all the same an attempt; of r7 the close gave one up.
    expect(['ask', 'refused', 'fail', 'wait', 'flood'].map((type) => counted('attempts_total', `{task_type=${type}}`))).toEqual([
      1, 1, 1, 2, 1,
    ]);
    expect(counted('attempts_lost_total', '{task_type=flood}', '{cause=given_up}')).toBe(1);
    expect(['ws', 'poll'].map((transport) => counted('gaps_total', `{transport=${transport}}`, '{reason=reset}'))).toEqual([1, 1]);
  });

  test('shows in gauges what is open, and nothing once all is closed', () => {
    const last = new Map(run.gauges.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]));
    for (const name of [
      'viewers{transport=ws}{phase=level}',
      'viewers{transport=sse}{phase=behind}',
      'tasks_held{task_type=flood}{state=running}',
      'handoffs_pending',
      'polls_waiting',
      'unsent_bytes{transport=sse}',
    ])
      expect([name, last.get(name)]).toEqual([name, 0]);
    expect(run.gauges.some((line) => /^tasks_held\{task_type=ask\}\{state=suspended\} 1/.test(line))).toBe(true);
    expect(run.gauges.some((line) => line === 'handoffs_pending 1')).toBe(true);
  });

  test('writes each record of the table at its level, with fields of the table only', () => {
    // A line for people, of the close that found work.
    const isRecord = ({ level, message }: Told): boolean =>
      (level === 'info' || level === 'debug') && !message.startsWith('This node is closing');
    const records = run.told.filter(isRecord);
    expect([...new Set(records.map(({ message }) => message))].sort()).toEqual(Object.keys(recordsTable).sort());
    for (const { level, message, fields } of records) {
      const row = recordsTable[message as RecordName];
      expect([message, level]).toEqual([message, row.level]);
      expect(Object.keys(fields).filter((name) => !(row.fields as readonly string[]).includes(name))).toEqual([]);
      for (const value of Object.values(fields)) expect(value).toEqual(expect.any(String));
    }
    for (const [name, { fields }] of Object.entries(recordsTable))
      expect([name, ...new Set(records.flatMap((told) => (told.message === name ? Object.keys(told.fields) : [])))].sort()).toEqual(
        [name, ...fields].sort(),
      );
  });

  test('says who, where and what came of it', () => {
    const records = (name: RecordName) => run.told.flatMap(({ message, fields }) => (message === name ? [fields] : []));
    expect(records('http.task.create').map(({ clientRequestId, outcome }) => [clientRequestId, outcome])).toEqual([
      ['r1', 'created'],
      ['r1', 'duplicate'],
      ['r1', 'IDEMPOTENCY_CONFLICT'],
      ['r2', 'TASK_OWNERSHIP_ERROR'],
      ['r3', 'TASK_SUBMISSION_ERROR'],
      ['r3', 'duplicate'],
      ['r4', 'created'],
      ['r5', 'created'],
      ['r7', 'created'],
      ['r8', 'created'],
      ['r6', 'created'],
    ]);
    expect(records('task.create.denied').map(({ outcome }) => outcome)).toEqual(['IDEMPOTENCY_CONFLICT', 'TASK_OWNERSHIP_ERROR']);
    expect(records('http.task.action').map(({ outcome }) => outcome)).toEqual(['ACCEPTED', 'DEDUPLICATED', 'REJECTED_ALREADY_RESOLVED']);
    expect(records('http.task.cancel').map(({ outcome }) => outcome)).toEqual([
      'TASK_NOT_FOUND',
      'CANCELLATION_REQUESTED',
      'ALREADY_TERMINAL',
      'CANCELLATION_REQUESTED',
    ]);
    expect(records('task.resume.reconciled').map(({ outcome }) => outcome)).toEqual(['ANSWERED']);
    expect(new Set(run.told.flatMap(({ fields }) => ('userId' in fields ? [fields['userId']] : [])))).toEqual(new Set(['ada']));
    expect(
      new Set(
        run.told.flatMap(({ message, fields }) =>
          'transport' in fields ? [`${message.split('.')[0]} ${String(fields['transport'])}`] : [],
        ),
      ),
    ).toEqual(new Set(['http http', 'ws ws', 'task internal', 'task ws']));
    const appended = records('task.event.appended').map(({ eventId, outcome }) => `${String(eventId)} ${String(outcome)}`);
    expect(appended.filter((line) => line.endsWith('TASK_FAILED'))).toHaveLength(4);
  });

  test('has not a word of what people wrote in anything that it told', () => {
    expect(run.told.length).toBeGreaterThan(50);
    const spoken = run.told.map(({ message, fields }) =>
      JSON.stringify([message, fields], (_key, value: unknown) =>
        value instanceof Error ? [value.message, value.stack, value.cause] : value,
      ),
    );
    expect(spoken.filter((text) => text.includes(SECRET))).toEqual([]);
    expect([...counts.keys()].filter((key) => key.includes(SECRET))).toEqual([]);
  });
});
