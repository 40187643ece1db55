import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { endProcess } from '../support/child-process.ts';
import { patience } from '../support/patience.ts';
import { bundle } from './bundle.ts';
import { countingHost } from './scripted-host.ts';
import { wholeLifeSeen } from './task-run.ts';

/** How each is started with a page, and a folder of its own. */
const browsers = {
  Firefox: {
    program: '/usr/bin/firefox-esr',
    setup: 'firefox',
    args: (folder: string, url: string) => ['--headless', '--no-remote', '--profile', folder, url],
    agent: /Firefox/,
  },
  'WebKit, the engine of Safari': {
    program: '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser',
    setup: 'webkit',
    args: (_folder: string, url: string) => ['--private', url],
    agent: /AppleWebKit(?!.*Chrome)/,
  },
} as const;

/** As a user without a screen, and without a session. */
const environment = (folder: string) => ({
  ...process.env,
  HOME: folder,
  XDG_RUNTIME_DIR: folder,
  WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
  WEBKIT_DISABLE_COMPOSITING_MODE: '1',
});

describe.each(Object.keys(browsers) as (keyof typeof browsers)[])('a page in %s', (name) => {
  test('starts, watches through cuts and answers over each transport, and as two tabs', { timeout: patience(90_000) }, async () => {
    const { program, args, agent, setup } = browsers[name];
    if (!existsSync(program)) throw new Error(`${name} is not there (${program}). Run \`sh scripts/setup.sh ${setup}\`.`);
    const script = await bundle(fileURLToPath(new URL('page.ts', import.meta.url)), { format: 'esm' });
    let told: (report: string) => void;
    const report = new Promise<string>((resolve) => (told = resolve));
    const host = await countingHost((request, response) => {
      if (request.method === 'POST')
        void text(request)
          .then(told)
          .then(() => response.end());
      else if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script);
      else response.setHeader('content-type', 'text/html').end('<!doctype html><body><script type="module" src="/page.js"></script>');
    });
    const folder = mkdtempSync(join(tmpdir(), 'taskbridge-browser-'));
    const command = name === 'Firefox' ? [program] : ['xvfb-run', '-a', program];
    const child = spawn(command[0] ?? program, [...command.slice(1), ...args(folder, `${host.url}/`)], {
      env: environment(folder),
      stdio: 'ignore',
      detached: true,
    });
    onTestFinished(async () => {
      // What it has started is of its group.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await endProcess(child);
      await host.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });
    const seen = JSON.parse(await report) as { readonly [what: string]: unknown };
    expect(seen['agent']).toMatch(agent);
    for (const transports of ['ws', 'sse', 'poll', 'ws,sse,poll'])
      expect([transports, seen[transports]]).toEqual([transports, { ...wholeLifeSeen, transport: transports.split(',')[0] }]);
    expect(seen['tabs']).toEqual(Array.from({ length: 2 }, () => ({ ...wholeLifeSeen, transport: 'ws' })));
  });
});
