import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { clientSuite, defineTests, linesDriver, type ClientDriver } from '../conformance/index.ts';
import { ourClient, ourSharingClient } from './our-client.ts';

defineTests({ describe, it }, clientSuite, 'ours', async () => ourClient, { atOnce: 8 });

/** What the suite says of event streams holds where tasks share them; the rest is not about them. */
const ofStreams = { ...clientSuite, cases: clientSuite.cases.filter(({ id }) => id.endsWith('-sse')) };
defineTests({ describe, it }, ofStreams, 'ours with shared streams', async () => ourSharingClient, { atOnce: 8 });

describe('over JSON lines', () => {
  let child: ChildProcess;
  let driver: ClientDriver;
  beforeAll(() => {
    const program = fileURLToPath(new URL('children/client-process.ts', import.meta.url));
    child = spawn(process.execPath, ['--import', 'tsx', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (!child.stdin || !child.stdout) throw new Error('The client was started without pipes.');
    driver = linesDriver({ input: child.stdin, output: child.stdout }, ourClient);
  });
  afterAll(async () => {
    const gone = once(child, 'exit');
    child.stdin?.end();
    await gone;
  });
  defineTests({ describe, it }, clientSuite, 'ours in a process of its own', async () => driver, { atOnce: 8 });
});
