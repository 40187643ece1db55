/**
 * Measures TaskBridge against raw baselines on the same machine, in one run: `npm run bench -- [--only appends,ws] [--quick] [--out file.json]`
 */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { measuredPairs } from './check/measured-pairs.ts';
import { changeLineOf, changeTableOf, pairChanges } from './check/pair.ts';
import { measurements } from './measurements/index.ts';
import type { Bench } from './measurements/bench.ts';
import { readOptions, type BenchOptions } from './options.ts';
import {
  startBareAppends,
  startBareQueue,
  startCreating,
  startLoad,
  startNode,
  startParts,
  startSystem,
  startTemporalWork,
  startTokens,
  startWorkHost,
} from './processes/bench-processes.ts';
import { CleanupStack } from './processes/cleanup-stack.ts';
import { startRedis } from './processes/redis-server.ts';
import { startChromium } from './processes/browser-page.ts';
import { markdownOf, readable, tableOf } from './results/markdown.ts';
import type { Section } from './results/row.ts';
import { barResultsOf, unitOf } from './results/bar-result.ts';

const begun = performance.now();
const cleanup = new CleanupStack();
const seconds = (): string => ((performance.now() - begun) / 1000).toFixed(0).padStart(4);
const say = (text: string): void => console.error(`${seconds()} s  ${text}`);

async function run({ quick, alone, only, out, profile, row: wanted, rounds }: BenchOptions): Promise<boolean> {
  const hasOriginal = !quick && !alone && installOriginal();
  if (!hasOriginal && !alone)
    say(`THE ORIGINAL'S SERVER IS NOT MEASURED: ${quick ? 'a quick run leaves it out' : 'it could not be installed, see above'}.`);
  const redis = await startRedis(cleanup);
  const machine = `${availableParallelism()} cores, Node ${process.versions.node}, Redis ${redis.version}`;
  say(`${machine}${quick ? ', quick and rough' : ''}`);
  const bench: Bench = {
    redis,
    quick,
    rounds: (usual, rough) => rounds ?? (quick ? rough : usual),
    who: (...names) => names.filter((name) => (alone ? name === 'ours' : name !== 'original' || hasOriginal)),
    wants: (name) => name.includes(wanted),
    system: (name, ...more) => startSystem(cleanup, name, { redisPort: redis.port, profiled: profile === name }, ...more),
    node: (path) => startNode(cleanup, { redisPort: redis.port, profiled: profile === 'ours', path }),
    bareAppends: (path) => startBareAppends(cleanup, path),
    workHost: (place) => startWorkHost(cleanup, { redisPort: redis.port, profiled: profile === 'workHost', ...place }),
    creating: (who, place) => startCreating(cleanup, who, { redisPort: redis.port, profiled: profile === who, ...place }),
    bareQueue: (path) => startBareQueue(cleanup, path),
    parts: (who) => startParts(cleanup, who, { redisPort: redis.port, profiled: profile === who }),
    tokens: (who) => startTokens(cleanup, who, { redisPort: redis.port, profiled: profile === who }),
    temporal: () => startTemporalWork(cleanup, { redisPort: redis.port, profiled: profile === 'temporal' }),
    chromium: () => startChromium(cleanup),
    load: () => startLoad(cleanup),
    say,
  };
  const sections: Section[] = [];
  for (const { name, title, measure } of measurements) {
    if (only.length > 0 && !only.includes(name)) continue;
    say(`${name}: ${title}`);
    const section = { title, rows: await measure(bench) };
    sections.push(section);
    console.log(`\n${title}\n\n${tableOf(section)}\n`);
  }
  const verdicts = sections.flatMap(({ title, rows }) =>
    rows.flatMap((row) => barResultsOf(row).map((verdict) => ({ title, row, ...verdict }))),
  );
  for (const { title, row, bar, judged, holds } of verdicts) {
    const limit = bar.atLeast === undefined ? `at most ${bar.atMost}` : `at least ${bar.atLeast}`;
    console.log(
      `${holds ? 'holds' : 'FALLS SHORT'}: ${title}: ${row.name}: ${readable(judged.median)} ${unitOf(row, bar)}, wanted ${limit}`,
    );
  }
  if (out !== undefined) {
    await writeFile(out, `${JSON.stringify({ machine, quick, sections }, undefined, 1)}\n`);
    await writeFile(out.replace(/(\.json)?$/, '.md'), `${machine}\n\n${markdownOf(sections)}`);
  }
  return verdicts.every(({ holds }) => holds);
}

/** True where nothing became slower since a commit. */
async function check({ quick, only, row }: BenchOptions, revision: string): Promise<boolean> {
  const pairs = await measuredPairs({ revision, quick, only, row, cleanup, say });
  const changes = pairChanges(pairs);
  console.log(`\n${changeTableOf(changes)}\n`);
  const slower = changes.filter(({ became }) => became === 'slower');
  for (const change of slower) console.log(`SLOWER: ${changeLineOf(change)}`);
  if (slower.length === 0) console.log(`Nothing became slower than at ${revision} by more than the noise.`);
  return slower.length === 0;
}

/** It is slow, and has a Python of its own; the tests know how to get it. */
function installOriginal(): boolean {
  return spawnSync('sh', ['model-tests/original/install.sh'], { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    interrupted = true;
    void cleanup.all().finally(() => process.exit(130));
  });

try {
  const options = readOptions(
    process.argv.slice(2),
    measurements.map(({ name }) => name),
  );
  if (options.check !== undefined) process.exitCode = (await check(options, options.check)) ? 0 : 1;
  else say(`done; ${(await run(options)) ? 'every judged ratio holds' : 'not every judged ratio holds'}`);
} catch (error) {
  if (!interrupted) console.error(error);
  process.exitCode = 1;
} finally {
  await cleanup.all();
}
