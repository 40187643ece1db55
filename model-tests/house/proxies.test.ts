import { describe, expect, test } from 'vitest';
import { defaultClientLimits as clientLimits } from '../../client/options.ts';
import { liveDefaults } from '../../server/index.ts';
import { snippet } from '../readme/snippets.ts';
import { filesBelow, textOfFile } from './project-files.ts';

const DOCUMENT = 'docs/proxies.md';
const folder = 'model-tests/proxies';

test.each([
  ['nginx', `${folder}/nginx/recommended.conf`],
  ['haproxy', `${folder}/haproxy/recommended.cfg`],
  ['caddy', `${folder}/caddy/recommended.caddyfile`],
])('what is said of %s is the very file that is tried', (name, file) => {
  expect(snippet(name, DOCUMENT)).toBe(textOfFile(file));
});

test('what is said of encode stands in the file that is tried', () => {
  expect(textOfFile(`${folder}/caddy/encode-but-streams.caddyfile`)).toContain(snippet('caddy-encode', DOCUMENT));
});

describe('what is said of clouds', () => {
  const table = textOfFile(DOCUMENT).split('\n## Clouds\n')[1]?.split('\n## ')[0] ?? '';
  const rows = [...table.matchAll(/^\| (.+?) \| (yes|no) \| (yes|no) \| (.+?) \| (.+?) \| (.+?) \| .+ \|$/gm)];
  const seconds = (text: string | undefined): number => (text === '–' ? Infinity : Number(/^(\d+) s$/.exec(text ?? '')?.[1]));

  test('names what the defaults of server and client are, and has a row for each', () => {
    const [ws, sse, poll] = [liveDefaults.heartbeatMs, liveDefaults.sseHeartbeatMs, clientLimits.pollWaitMs].map((ms) => ms / 1000);
    expect(table.replaceAll('\n', ' ')).toContain(`WebSockets that speak every ${ws} s, streams every ${sse} s, polls of ${poll} s`);
    expect(rows).toHaveLength(table.match(/^\| [A-Za-z]/gm)?.length ?? 0);
    expect(rows.length).toBeGreaterThan(5);
  });

  test.each(rows.map(([, name, ...columns]) => [name, columns] as const))(
    '%s: what holds by default follows from its figures',
    (_name, columns) => {
      const [upgrades, isHeldBack, quiet, whole, hold] = columns;
      const [quietMs, wholeMs] = [seconds(quiet) * 1000, seconds(whole) * 1000];
      expect([quietMs, wholeMs]).not.toContain(Number.NaN);
      const holds = [
        upgrades === 'yes' && quietMs > liveDefaults.heartbeatMs && wholeMs === Infinity && 'ws',
        isHeldBack === 'no' && quietMs > liveDefaults.sseHeartbeatMs && wholeMs === Infinity && 'sse',
        Math.min(quietMs, wholeMs) > clientLimits.pollWaitMs && 'poll',
      ].filter(Boolean);
      expect(hold).toBe(holds.join(', ') || 'none');
    },
  );
});

test('every configuration is tried', () => {
  const tests = filesBelow(folder).filter((name) => name.endsWith('.test.ts'));
  const text = tests.map(textOfFile).join('\n');
  const tried = new Set([...text.matchAll(/'([\w-]+)'/g)].map(([, word]) => word));
  const sites = filesBelow(folder).flatMap((name) => /\/([^/]+)\.(?:conf|cfg|caddyfile)$/.exec(name)?.[1] ?? []);
  expect(sites.length).toBeGreaterThan(10);
  expect(sites.filter((site) => !tried.has(site))).toEqual([]);
});
