import { describe, expect, it } from 'vitest';
import { fileAttachments } from 'taskbridge/adapters/file';
import { inProcess } from 'taskbridge/adapters/in-process';
import { lmdbStore } from 'taskbridge/adapters/lmdb';
import { memoryAttachments, memoryStore } from 'taskbridge/adapters/memory';
import { redisStore } from 'taskbridge/adapters/redis';
import { temporalExecutor } from 'taskbridge/adapters/temporal';
import { compositeProbe, executorProbe } from 'taskbridge/server/observability';
import { createTaskReporter } from 'taskbridge/server/reporter';
import { tasks } from '../contract/tasks.ts';

/** Each door with an option that it has not got, as plain JavaScript would give it. */
const doors: Readonly<Record<string, (wrong: object) => unknown>> = {
  inProcess: (wrong) => inProcess({}, wrong),
  'inProcess with a contract': (wrong) =>
    inProcess(tasks, { 'report.build': async () => ({ rows: 1 }), echo: async () => null } as never, wrong),
  memoryStore: (wrong) => memoryStore(wrong),
  memoryAttachments: (wrong) => memoryAttachments(wrong),
  lmdbStore: (wrong) => lmdbStore({ path: '/nowhere', ...wrong }),
  redisStore: (wrong) => redisStore({} as never, wrong),
  fileAttachments: (wrong) => fileAttachments({ path: '/nowhere', ...wrong }),
  temporalExecutor: (wrong) => temporalExecutor({ client: {} as never, taskQueue: 'q', workflow: 'w', ...wrong }),
  createTaskReporter: (wrong) => createTaskReporter({ store: { ...memoryStore(), exclusive: false }, ...wrong }),
  compositeProbe: (wrong) => compositeProbe({}, wrong),
  executorProbe: (wrong) => executorProbe({}, wrong),
};

describe('an option that is not there is refused by its name', () => {
  it.each(Object.keys(doors))('by %s, before anything is made', (door) => {
    expect(() => doors[door]?.({ clok: 7 })).toThrow(
      /^clok is no option of .*; there are .*\bclock\b|^clok is no option of .*; there are path, shared/,
    );
    expect(() => doors[door]?.({ clok: 7 })).toThrow(TypeError);
  });

  it('and one that is undefined is left out', () => {
    expect(() => memoryStore({ clock: undefined as never })).not.toThrow();
  });
});
