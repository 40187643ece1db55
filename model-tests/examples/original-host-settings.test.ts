import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { forkProgram, printed } from '../support/child-process.ts';
import { readSettings } from '../../examples/original-host/settings.ts';

describe('the settings of the original’s example host', () => {
  test('are the original’s where nothing is said', () => {
    expect(readSettings({ HOME: '/root', TB_STREAM_MAXLEN: '', TB_AUTH_MODE: ' ' })).toMatchObject({
      executor: 'temporal',
      auth: 'demo',
      port: 8000,
      redisUrl: 'redis://127.0.0.1:6379',
      streamPrefix: 'taskbridge:examples',
      retainedAfterEndMs: 86_400_000,
      retainedFactsMax: 1000,
      temporal: { address: '127.0.0.1:7233', namespace: 'default', taskQueue: 'taskbridge-demo' },
    });
  });

  test('are what the environment says', () => {
    const env = {
      ...{
        TB_EXECUTOR_MODE: 'Fake',
        TB_AUTH_MODE: 'firebase',
        FIREBASE_PROJECT_ID: 'my-app-1',
        PORT: '0',
        REDIS_URL: 'rediss://redis:6380/1',
      },
      ...{ TB_STREAM_PREFIX: 'a:b', TB_STREAM_TTL_SECONDS: '60', TB_STREAM_MAXLEN: '1' },
      ...{ TEMPORAL_ADDRESS: '[::1]:7234', TEMPORAL_NAMESPACE: 'n', TEMPORAL_TASK_QUEUE: 'q', TB_UPLOADS_PATH: '/uploads' },
    };
    expect(readSettings(env)).toEqual({
      ...{ executor: 'fake', auth: 'firebase', firebaseProjectId: 'my-app-1', port: 0, redisUrl: 'rediss://redis:6380/1' },
      ...{ streamPrefix: 'a:b', retainedAfterEndMs: 60_000, retainedFactsMax: 1, uploadsPath: '/uploads' },
      temporal: { address: '[::1]:7234', namespace: 'n', taskQueue: 'q' },
    });
  });

  test('need no Redis where nothing outlives the process', () => {
    expect(readSettings({ TB_EXECUTOR_MODE: 'fake' }).redisUrl).toBeUndefined();
  });

  test.each([
    ['TB_EXECUTOR_MODE', 'celery', 'TB_EXECUTOR_MODE ("celery") must be temporal or fake.'],
    ['TB_AUTH_MODE', 'none', 'TB_AUTH_MODE ("none") must be demo or firebase.'],
    ['TB_AUTH_MODE', 'firebase', 'FIREBASE_PROJECT_ID is missing: it must be given where TB_AUTH_MODE is firebase.'],
    ['FIREBASE_PROJECT_ID', 'My App', 'FIREBASE_PROJECT_ID ("My App") must be the id of a Firebase project, like my-app-1234.'],
    ['PORT', '65536', 'PORT ("65536") must be a whole number from 0 to 65535.'],
    ['REDIS_URL', 'http://redis', 'REDIS_URL ("http://redis") must be an address like redis://127.0.0.1:6379.'],
    ['TB_STREAM_PREFIX', 'a{b}', 'TB_STREAM_PREFIX ("a{b}") must be a text without braces and spaces.'],
    ['TB_STREAM_TTL_SECONDS', '0', 'TB_STREAM_TTL_SECONDS ("0") must be a whole number from 1 to 315360000.'],
    ['TB_STREAM_TTL_SECONDS', 'a day', 'TB_STREAM_TTL_SECONDS ("a day") must be a whole number from 1 to 315360000.'],
    ['TB_STREAM_MAXLEN', '-1', 'TB_STREAM_MAXLEN ("-1") must be a whole number from 1 to 1000000.'],
    ['TB_STREAM_MAXLEN', '1e3', 'TB_STREAM_MAXLEN ("1e3") must be a whole number from 1 to 1000000.'],
    ['TEMPORAL_ADDRESS', 'localhost', 'TEMPORAL_ADDRESS ("localhost") must be an address like 127.0.0.1:7233.'],
    ['TEMPORAL_NAMESPACE', 'a b', 'TEMPORAL_NAMESPACE ("a b") must be a name without spaces.'],
    ['TEMPORAL_TASK_QUEUE', 'a b', 'TEMPORAL_TASK_QUEUE ("a b") must be a name without spaces.'],
  ])('%s=%s is refused with a sentence', (name, value, fault) => {
    expect(() => readSettings({ [name]: value })).toThrow(new Error(fault));
  });

  test.each(['host.ts', 'worker.ts'])('that are wrong end %s before it does anything', async (file) => {
    const env = { PATH: process.env['PATH'], TB_STREAM_MAXLEN: 'many', TB_EXECUTOR_MODE: 'fake' };
    const child = forkProgram(`examples/original-host/${file}`, [], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const exited = once(child, 'exit') as Promise<[code: number | null]>;
    const [[code], [said]] = await Promise.all([exited, printed(child, /.*\n/)]);
    expect([code, said]).toEqual([1, 'TB_STREAM_MAXLEN ("many") must be a whole number from 1 to 1000000.\n']);
  });

  test('that are wrong are all named at once', () => {
    const env = { TB_EXECUTOR_MODE: 'x', PORT: 'x', TB_STREAM_MAXLEN: 'x', TB_AUTH_MODE: 'firebase' };
    const named = (error: unknown): string[] => (error as Error).message.split('\n').map((line) => line.split(' ')[0] ?? '');
    let thrown: unknown;
    try {
      readSettings(env);
    } catch (error) {
      thrown = error;
    }
    expect(named(thrown)).toEqual(['TB_EXECUTOR_MODE', 'PORT', 'TB_STREAM_MAXLEN', 'FIREBASE_PROJECT_ID']);
  });
});
