import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';

/** What this host runs with, of its environment: the original's variables under the original's names. */
export interface HostSettings {
  /** `fake`: the same steps in this process, without Temporal. */
  readonly executor: 'temporal' | 'fake';
  /** `demo`: everybody is let in. `firebase`: whoever has an ID token of the project. */
  readonly auth: 'demo' | 'firebase';
  readonly firebaseProjectId: string | undefined;
  readonly port: number;
  /** Undefined: in memory, which only `fake` may. */
  readonly redisUrl: string | undefined;
  readonly streamPrefix: string;
  readonly retainedAfterEndMs: number;
  readonly retainedFactsMax: number;
  readonly temporal: { readonly address: string; readonly namespace: string; readonly taskQueue: string };
  /** The folder of uploads; host and worker have the same one. */
  readonly uploadsPath: string;
}

const text = (what: string, pattern: RegExp) => z.string().regex(pattern, what);
const count = (least: number, most: number) => {
  const what = `a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, what)
    .transform(Number)
    .refine((value) => value >= least && value <= most, what);
};
const choice = <Value extends string>(values: readonly Value[]) =>
  z
    .string()
    .toLowerCase()
    .pipe(z.enum(values, { error: values.join(' or ') }));

const TTL_SECONDS_MAX = 10 * 365 * 86_400;

const environment = z
  .object({
    TB_EXECUTOR_MODE: choice(['temporal', 'fake']).default('temporal'),
    TB_AUTH_MODE: choice(['demo', 'firebase']).default('demo'),
    FIREBASE_PROJECT_ID: text('the id of a Firebase project, like my-app-1234', /^[a-z0-9][a-z0-9.:-]{0,127}$/).optional(),
    PORT: count(0, 65_535).default(8000),
    REDIS_URL: text('an address like redis://127.0.0.1:6379', /^rediss?:\/\/\S+$/).optional(),
    TB_STREAM_PREFIX: text('a text without braces and spaces', /^[^{}\s]+$/).default('taskbridge:examples'),
    TB_STREAM_TTL_SECONDS: count(1, TTL_SECONDS_MAX).default(86_400),
    TB_STREAM_MAXLEN: count(1, 1_000_000).default(1000),
    TEMPORAL_ADDRESS: text('an address like 127.0.0.1:7233', /^(\[[0-9a-f:]+\]|[^\s:/]+):\d{1,5}$/i).default('127.0.0.1:7233'),
    TEMPORAL_NAMESPACE: text('a name without spaces', /^\S+$/).default('default'),
    TEMPORAL_TASK_QUEUE: text('a name without spaces', /^\S+$/).default('taskbridge-demo'),
    TB_UPLOADS_PATH: z.string().default(join(tmpdir(), 'taskbridge-original-host')),
  })
  .refine(({ TB_AUTH_MODE, FIREBASE_PROJECT_ID }) => TB_AUTH_MODE !== 'firebase' || FIREBASE_PROJECT_ID !== undefined, {
    path: ['FIREBASE_PROJECT_ID'],
    error: 'given where TB_AUTH_MODE is firebase',
    // Said beside what else is wrong.
    when: () => true,
  });

/** Reads the settings; a variable that is empty counts as absent. Throws with a line for each that cannot be right. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): HostSettings {
  const given = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value?.trim() ? [[name, value.trim()]] : [])));
  const { success, data, error } = environment.safeParse(given);
  if (!success)
    throw new Error(error.issues.map(({ path: [name], message }) => faultOf(String(name), given[String(name)], message)).join('\n'));
  const isFake = data.TB_EXECUTOR_MODE === 'fake';
  return {
    executor: data.TB_EXECUTOR_MODE,
    auth: data.TB_AUTH_MODE,
    firebaseProjectId: data.FIREBASE_PROJECT_ID,
    port: data.PORT,
    redisUrl: data.REDIS_URL ?? (isFake ? undefined : 'redis://127.0.0.1:6379'),
    streamPrefix: data.TB_STREAM_PREFIX,
    retainedAfterEndMs: data.TB_STREAM_TTL_SECONDS * 1000,
    retainedFactsMax: data.TB_STREAM_MAXLEN,
    temporal: { address: data.TEMPORAL_ADDRESS, namespace: data.TEMPORAL_NAMESPACE, taskQueue: data.TEMPORAL_TASK_QUEUE },
    uploadsPath: data.TB_UPLOADS_PATH,
  };
}

/** The settings of this process. Where they cannot be right it ends, and says which. */
export function settingsOfProcess(): HostSettings {
  try {
    return readSettings(process.env);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

function faultOf(name: string, value: string | undefined, wanted: string): string {
  return value === undefined ? `${name} is missing: it must be ${wanted}.` : `${name} (${JSON.stringify(value)}) must be ${wanted}.`;
}
