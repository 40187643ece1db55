import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { root } from '../readme/snippets.ts';
import { bundle } from './bundle.ts';
import { countingHost } from './scripted-host.ts';
import { wholeLifeSeen } from './task-run.ts';

const runtimes = {
  Bun: { program: '.data/bun/node_modules/@oven/bun-linux-x64/bin/bun', args: ['run'] },
  Deno: { program: '.data/deno/node_modules/@deno/linux-x64-glibc/deno', args: ['run', '--allow-net', '--no-lock'] },
} as const;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'taskbridge-runtime-'));
  const program = fileURLToPath(new URL('program.ts', import.meta.url));
  writeFileSync(join(folder, 'program.mjs'), await bundle(program, { format: 'esm' }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.keys(runtimes) as (keyof typeof runtimes)[])('the client in %s', (name) => {
  const { program, args } = runtimes[name];
  test.each(['ws', 'sse', 'poll', 'ws,sse,poll'])('starts, watches through cuts and answers over %s', async (transports) => {
    const path = join(root, program);
    if (!existsSync(path)) throw new Error(`${name} is not there (${path}). Run \`sh scripts/setup.sh ${name.toLowerCase()}\`.`);
    const host = await countingHost();
    onTestFinished(() => host.close());
    const child = spawn(path, [...args, join(folder, 'program.mjs'), host.url, transports]);
    const [said, wrong] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(wrong).toBe('');
    expect(JSON.parse(said)).toMatchObject({ ...wholeLifeSeen, transport: transports.split(',')[0] });
    expect(host.cuts).toBe(4);
  });
});
