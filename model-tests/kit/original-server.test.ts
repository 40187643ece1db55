import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSuite, serverSuite, type CaseResult } from '../conformance/index.ts';
import { startOriginal, type OriginalHost } from '../original/original-host.ts';
import { originalFailures, originalLacks, originalRaces } from './original-failures.ts';
import { patience } from '../support/patience.ts';

describe("the original's server", () => {
  let host: OriginalHost;
  let results: readonly CaseResult[];

  beforeAll(async () => {
    host = await startOriginal(300);
    const world = {
      baseUrl: host.baseUrl,
      credentials: (owner: string) => ({ authorization: `Bearer ${owner}` }),
      // Redis trims by whole nodes of a stream, well after the thousandth fact.
      profile: { heartbeatMs: 300, trimmedFromFacts: 2500, uploadBytesMax: 1024 * 1024, patienceMs: 8000 },
      // It has no limits that could be made small, knows nobody by a cookie, and keeps its tasks in memory.
      browser: { token: (owner: string) => owner },
    };
    results = await runSuite(serverSuite, async () => world, { atOnce: 12 });
  }, patience(180_000));
  afterAll(() => host?.stop());

  it('fails the cases that are known, neither more nor fewer', () => {
    const failed = new Map(results.filter(({ outcome }) => outcome === 'failed').map(({ id, why }) => [id, why]));
    const more = [...failed].filter(([id]) => !originalFailures.includes(id));
    const fewer = originalFailures.filter((id) => !failed.has(id) && !originalRaces.includes(id));
    expect({ more, fewer }).toEqual({ more: [], fewer: [] });
  });

  it('may hold only where it loses a race', () => {
    expect(originalRaces.filter((id) => !originalFailures.includes(id))).toEqual([]);
  });

  it('is not asked what it has not, neither more nor fewer', () => {
    const unasked = results.filter(({ outcome }) => outcome === 'inapplicable').map(({ id }) => id);
    expect(unasked.sort()).toEqual(originalLacks);
  });

  it('has its failures in the README of the kit', () => {
    const readme = readFileSync(new URL('../conformance/README.md', import.meta.url), 'utf8');
    const [, section = ''] = readme.split("## What the original's server fails\n");
    const cells = [...section.matchAll(/^\| (`.+?`) \|/gm)].map(([, cell]) => cell ?? '');
    const rows = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, id]) => id));
    const asked = serverSuite.cases.length - originalLacks.length;
    expect(section).toContain(`${originalFailures.length} of the ${asked} cases that apply to it`);
    expect(section).toContain(`${originalLacks.length} do not`);
    expect(rows.sort()).toEqual(originalFailures);
  });
});
