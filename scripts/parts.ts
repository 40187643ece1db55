import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One piece of the whole check, with a command of its own: `npm run check:<name>`. */
export interface Part {
  /** What it proves, in a line. */
  readonly proves: string;
  /** What has to be on the machine, in words of `scripts/setup.sh`. */
  readonly needs: readonly string[];
  /** What holds beside the tests: scripts of package.json, by what they say of the project. */
  readonly steps: Readonly<Record<string, string>>;
  /** Folders and files of its tests. The longest name that a test's path begins with says whose it is. */
  readonly tests: readonly string[];
  /** Parts whose tests it runs again. */
  readonly again: readonly PartName[];
  /** Levels at which its tests walk the charts, each whole. */
  readonly walks: readonly string[];
  /** It waits more than it computes: in the whole check it runs beside another such part. */
  readonly isWaiting: boolean;
  /** Minutes that it may take on two quiet cores, with what it installs. */
  readonly budgetMinutes: number;
}

export type PartName =
  | 'quick'
  | 'main'
  | 'package'
  | 'kit'
  | 'redis'
  | 'hostile'
  | 'crowds'
  | 'examples'
  | 'levels'
  | 'kills'
  | 'versions'
  | 'web'
  | 'proxies'
  | 'simulation'
  | 'original'
  | 'temporal'
  | 'chaos'
  | 'newest';

const none = { needs: [], steps: {}, tests: [], again: [], walks: [], isWaiting: false } as const;

/** What is checked, by part: the one place that says which test is run when. */
export const parts: Readonly<Record<PartName, Part>> = {
  quick: {
    ...none,
    proves: 'types, rules, charts as drawn, every path of the pure charts, the memory store',
    steps: {
      'the types and the house rules hold': 'lint',
      'docs/charts shows the charts as they are': 'charts -- --check',
      'docs/schemas shows the wire as it is': 'schemas -- --check',
    },
    tests: [
      'model-tests/charts/',
      'model-tests/drawings/',
      'model-tests/house/',
      'model-tests/law/',
      'model-tests/wire/',
      'model-tests/stores/memory.test.ts',
      'model-tests/outbox/chart.test.ts',
      'model-tests/tabs/chart.test.ts',
      'model-tests/client/transport-paths.test.ts',
      'model-tests/client/transport-rows.test.ts',
      'model-tests/client/transport-simple-paths.test.ts',
      'model-tests/live/viewer-walk.test.ts',
      'model-tests/multiplex/socket-walk.test.ts',
      'model-tests/multiplex/stream-walk.test.ts',
    ],
    walks: ['pure chart', 'real viewer', 'real sockets', 'real streams'],
    budgetMinutes: 1,
  },
  main: {
    ...none,
    proves: 'the server and the client on every store and transport, a page in a browser, short histories',
    needs: ['redis', 'chromium'],
    tests: [
      'model-tests/auth/',
      'model-tests/caller/',
      'model-tests/contract/',
      'model-tests/client/',
      'model-tests/chaos/',
      'model-tests/http/',
      'model-tests/live/',
      'model-tests/multiplex/',
      'model-tests/outbox/',
      'model-tests/partitions/',
      'model-tests/react/',
      'model-tests/readme/',
      'model-tests/redis/',
      'model-tests/server/',
      'model-tests/tracing/',
      'model-tests/simulation/',
      'model-tests/soak/',
      'model-tests/stores/',
      'model-tests/tabs/',
      'model-tests/web/path.test.ts',
    ],
    budgetMinutes: 2.5,
  },
  package: {
    ...none,
    proves:
      'layout, what is published and how it is described, in one look at all types; types by each TypeScript; charts as Stately reads them',
    needs: ['stately', 'compilers'],
    steps: {
      'the source is formatted': 'format:check',
      'what browsers load is small': 'size',
      'the pictures in docs/charts are laid out as they would be today': 'charts -- --check --pictures',
      'the package builds, and works where it is installed': 'package',
      'its types hold with TypeScript 5.4 to the newest': 'compilers',
    },
    // These read all types, which takes as long as the rest of the house.
    tests: ['model-tests/drawings/extractor.test.ts', 'model-tests/house/documented.test.ts', 'model-tests/house/new-fact.test.ts'],
    budgetMinutes: 2.5,
  },
  kit: {
    ...none,
    proves: 'our client, and our server on each store, pass every case of the published suites, which find planted faults',
    needs: ['redis'],
    tests: ['model-tests/kit/'],
    budgetMinutes: 1,
  },
  redis: {
    ...none,
    proves: 'the Redis store on Redis 6.2, 7, 8 and Valkey: its suite as a user of few rights, refusals, fail-overs',
    needs: ['redis', 'redis_builds'],
    tests: [
      'model-tests/redis/store.test.ts',
      'model-tests/redis/reconnection.test.ts',
      'model-tests/redis/refusals.test.ts',
      'model-tests/redis/rights.test.ts',
    ],
    budgetMinutes: 2,
  },
  hostile: {
    ...none,
    proves: 'limits, parsers, attacks and a fuzzer at every door: nobody can harm the others',
    needs: ['fuzzer'],
    tests: ['model-tests/hostile/', 'model-tests/fuzz/', 'model-tests/http/garbage.test.ts'],
    budgetMinutes: 1.5,
  },
  crowds: {
    ...none,
    isWaiting: true,
    proves: 'thousands of facts, viewers and tasks at once cost no more than they have to',
    needs: ['redis'],
    tests: [
      'model-tests/client/burst.test.ts',
      'model-tests/multiplex/many-tasks.test.ts',
      'model-tests/redis/bridges.test.ts',
      'model-tests/stores/memory-many-tasks.test.ts',
    ],
    budgetMinutes: 1.5,
  },
  examples: {
    ...none,
    proves: 'the examples do what they say, each in a process of its own',
    tests: ['model-tests/examples/'],
    budgetMinutes: 1,
  },
  levels: {
    ...none,
    proves: 'every path of the charts on each store and over each transport, and by a real client',
    needs: ['redis'],
    tests: [
      'model-tests/levels/',
      'model-tests/charts/mutants/',
      'model-tests/client/driven-paths.test.ts',
      'model-tests/client/closing.test.ts',
    ],
    walks: ['memory', 'lmdb', 'redis', 'two nodes on redis', 'real client'],
    budgetMinutes: 3.5,
  },
  kills: {
    ...none,
    isWaiting: true,
    proves:
      'work, stores, viewers and text that grows outlive processes that are killed; the recipes of the Redis store hold through fail-overs',
    needs: ['redis', 'redis_builds'],
    tests: [
      'model-tests/examples/bullmq-worker.test.ts',
      'model-tests/examples/machine-work.test.ts',
      'model-tests/examples/report-kills.test.ts',
      'model-tests/parts/',
      'model-tests/redis/failover.test.ts',
      'model-tests/readme/survival.test.ts',
      'model-tests/redis/leases.test.ts',
      'model-tests/redis/nodes.test.ts',
      'model-tests/redis/recipes.test.ts',
      'model-tests/server/crash.test.ts',
      'model-tests/tracing/nodes.test.ts',
      'model-tests/stores/lmdb-containers.test.ts',
      'model-tests/stores/lmdb-durability.test.ts',
    ],
    budgetMinutes: 2,
  },
  versions: {
    ...none,
    isWaiting: true,
    proves: 'processes and stores of 0.1.0 go on beside and under those of today',
    needs: ['redis'],
    tests: ['model-tests/versions/'],
    budgetMinutes: 1,
  },
  web: {
    ...none,
    isWaiting: true,
    proves:
      'the pages in a browser, with every switch thrown, and text that goes on in mid-sentence; the client in Firefox, WebKit, workerd, Bun and Deno, and on the globals of React Native',
    needs: ['chromium', 'firefox', 'webkit', 'react_native', 'workerd', 'bun', 'deno'],
    tests: ['model-tests/web/', 'model-tests/runtimes/'],
    budgetMinutes: 2.5,
  },
  proxies: {
    ...none,
    isWaiting: true,
    proves: 'real proxies between client and server, as people set them up, lose nothing and cost no time; nor do deploys behind one',
    needs: ['redis', 'nginx', 'haproxy', 'caddy', 'kubernetes', 'chromium'],
    tests: ['model-tests/proxies/', 'model-tests/deploys/'],
    budgetMinutes: 1.5,
  },
  simulation: {
    ...none,
    proves: '2000 histories hold every rule, and every planted bug is found',
    tests: ['model-tests/simulation/simulation.test.ts'],
    budgetMinutes: 2,
  },
  original: {
    ...none,
    isWaiting: true,
    proves: 'our client against the server of the original, and the kit too',
    needs: ['original'],
    tests: ['model-tests/original/', 'model-tests/kit/original-server.test.ts'],
    budgetMinutes: 1.5,
  },
  temporal: {
    ...none,
    isWaiting: true,
    proves: 'work in Temporal, its workers killed among others',
    needs: ['temporal'],
    tests: ['model-tests/temporal/'],
    budgetMinutes: 2,
  },
  chaos: {
    ...none,
    isWaiting: true,
    proves: 'a minute of killed hosts, a killed Redis, broken and cut wires loses nothing',
    needs: ['redis', 'network'],
    tests: ['model-tests/chaos/chaos.test.ts', 'model-tests/partitions/partitions.test.ts'],
    budgetMinutes: 2.5,
  },
  newest: {
    ...none,
    proves: 'the tests of quick and main on the newest Node',
    needs: ['redis', 'chromium'],
    again: ['quick', 'main'],
    budgetMinutes: 2.5,
  },
};

/** The parts of each command that is no part itself. */
export const tiers: Readonly<Record<'check' | 'all', readonly PartName[]>> = {
  check: ['quick', 'main'],
  // Every name of the table, in its order.
  all: Object.keys(parts) as PartName[],
};

/** The part that runs a test, or undefined where none does. */
export function partOf(test: string): PartName | undefined {
  const claims = tiers.all.flatMap((name) => parts[name].tests.filter((begin) => test.startsWith(begin)).map((begin) => ({ name, begin })));
  return claims.sort((a, b) => b.begin.length - a.begin.length)[0]?.name;
}

/** Paths of all tests, from the root. */
export function testFiles(): string[] {
  const root = fileURLToPath(new URL('..', import.meta.url));
  return readdirSync(join(root, 'model-tests'), { recursive: true, encoding: 'utf8' })
    .map((name) => `model-tests/${name.split(sep).join('/')}`)
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
}

/** Paths of the tests that a part runs, its own and those of others. */
export function testsOf(part: PartName): string[] {
  const run = [part, ...parts[part].again];
  return testFiles().filter((test) => run.some((name) => partOf(test) === name));
}
