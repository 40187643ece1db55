import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { patience } from '../support/patience.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const left: string[] = [];
afterEach(() => Promise.all(left.splice(0).map((path) => rm(path, { recursive: true, force: true }))));

interface Demo {
  readonly process: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly text: string }>;
  /** Resolves when the demo has said so. */
  readonly said: (what: RegExp) => Promise<RegExpExecArray>;
}

function demo(...args: readonly string[]): Demo {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/report/demo.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += String(chunk);
      for (const listener of listeners) listener();
    });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, text }));
  return {
    process: child,
    ended,
    said: (what) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = what.exec(text);
          if (match) resolve(match);
        };
        listeners.add(look);
        look();
        void ended.then(() => reject(new Error(`It ended without saying ${what}:\n${text}`)));
      }),
  };
}

const cleanedIn = (text: string) => /cleaned +(.+\.csv), \d+ bytes/.exec(text)?.[1] ?? '';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the demo', () => {
  it('survives two cuts, both blocks and a kill -9, and proves it', { timeout: patience(180_000) }, async () => {
    const { code, text } = await demo('--answer', 'drop-both').ended;
    left.push(dirname(cleanedIn(text)));
    expect(text).toContain('All of it holds.');
    expect(text).toContain('Survived 2 cuts, 2 blocked transports and 1 kill -9 of the server');
    for (const transport of ['WebSocket', 'server-sent events', 'long polling']) expect(text).toContain(`live on ${transport}`);
    expect(text).not.toContain('✗');
    // Colours and redrawing are for terminals.
    expect(text).not.toContain('\u001b');
    expect(code).toBe(0);
  });

  it('takes a file of the caller, and answers by itself where nobody can be asked', async () => {
    const { path: directory } = await tempFolder('report-demo');
    left.push(directory);
    await writeFile(join(directory, 'mine.csv'), 'nr;price\n1;2.50\n2;oops\n3;4\n1;3\n4;1\n5;1\n6;1\n7;1\n8;1\n9;1\n10;1\n11;1\n12;1\n');
    const { code, text } = await demo(join(directory, 'mine.csv'), '--calm').ended;
    left.push(dirname(cleanedIn(text)));
    expect(text).toContain('answers keep-first, since there is no terminal to ask');
    expect(text).toContain('13 read, 11 kept, 1 with findings, 1 duplicates (keep-first)');
    expect(text).not.toContain('kill -9');
    expect(await readFile(cleanedIn(text), 'utf8')).toBe('nr;price\n1;2.50\n3;4\n4;1\n5;1\n6;1\n7;1\n8;1\n9;1\n10;1\n11;1\n12;1\n');
    expect(code).toBe(0);
  });

  it('says why it cannot begin', async () => {
    expect(await demo('--answer', 'maybe').ended).toMatchObject({
      code: 1,
      text: expect.stringContaining('--answer has to be one of') as string,
    });
    expect(await demo('/no/such/file.csv').ended).toMatchObject({ code: 1, text: expect.stringContaining('/no/such/file.csv') as string });
  });

  it('ends with 1, and the reason, for a file that is no CSV', async () => {
    const { path: directory } = await tempFolder('report-demo');
    left.push(directory);
    await writeFile(join(directory, 'broken.csv'), 'id,n\n1,"2\n');
    const { code, text } = await demo(join(directory, 'broken.csv'), '--calm').ended;
    expect(text).toContain('failed: UNREADABLE_CSV: The record that begins on line 2 has a quote that is never closed.');
    expect(code).toBe(1);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves no process behind on %s', async (signal) => {
    const { process: child, said, ended } = demo('--calm');
    const pid = Number((await said(/\(pid (\d+)\)/))[1]);
    await said(/started/);
    expect(isAlive(pid)).toBe(true);
    child.kill(signal);
    expect((await ended).code).toBe(signal === 'SIGINT' ? 130 : 143);
    expect(isAlive(pid)).toBe(false);
  });

  it('leaves no process behind when it is killed itself', async () => {
    const { process: child, said, ended } = demo('--calm');
    const pid = Number((await said(/\(pid (\d+)\)/))[1]);
    child.kill('SIGKILL');
    await ended;
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});
