import { chaosProxy } from '../conformance/chaos/proxy.ts';
import type { FaultKind } from '../chaos/checker.ts';
import { delivered } from '../chaos/run-record.ts';
import { startRedis } from '../redis/redis-server.ts';
import { patience } from '../support/patience.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { startCohort, type Cohort } from './cohort.ts';
import type { HostMeasure } from './host-measure.ts';
import { buildSoakHost, startSoakHost, type SoakHost } from './soak-host.ts';
import type { TrendSample } from './trend.ts';

/** What a run is told. */
export interface SoakOptions {
  readonly seed: number;
  readonly minutes: number;
  /** On `redis` there are two hosts, of which one is deployed and the other one looked at; on `lmdb` one, which is both. */
  readonly store: 'redis' | 'lmdb';
  readonly clients: number;
  readonly deployEveryMs: number;
  /** How long one cohort begins things. Defaults to a minute. */
  readonly cohortMs?: number;
  readonly say: (line: string) => void;
}

/** What it came to. */
export interface SoakReport {
  /** Of all cohorts. */
  readonly counts: Readonly<Record<FaultKind, number>>;
  readonly lines: readonly string[];
  readonly looks: Readonly<Record<keyof HostMeasure, readonly TrendSample[]>>;
  readonly totals: { tasks: number; appended: number; delivered: number; actions: number; owners: number; lives: number; deploys: number };
}

const LEASE_MS = patience(2500);
const SETTLE_MS = patience(60_000);
/** Far longer than a cohort takes to be judged, far shorter than a run: what has ended is removed all the while. */
const RETAINED_MS = 8 * 60_000;

/** The store of a run. */
async function startStore(store: SoakOptions['store']): Promise<{ readonly place: number | string; stop(): Promise<void> }> {
  if (store === 'redis') {
    const redis = await startRedis('--appendonly', 'yes', '--appendfsync', 'always');
    return { place: redis.port, stop: () => redis.stop() };
  }
  const folder = await tempFolder('soak');
  return { place: folder.path, stop: () => folder.remove() };
}

/** People who come and go by all ways, owners who were never there before, deploys with grace and without: minute by minute. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seed, minutes, store, clients, deployEveryMs, cohortMs = 60_000, say } = options;
  const random = seededRandom(seed);
  const stored = await startStore(store);
  const program = await buildSoakHost();
  const living = new Set<Cohort>();
  const hostOf = (nth: number): Promise<SoakHost> =>
    startSoakHost({
      program: program.file,
      leaseMs: LEASE_MS,
      retainedAfterEndMs: RETAINED_MS,
      place: stored.place,
      hear: (message) => living.forEach(({ work }) => work.heard(nth, message)),
    });
  const hosts = store === 'redis' ? [await hostOf(0), await hostOf(1)] : [await hostOf(0)];
  let turn = 0;
  const target = () => {
    turn += 1;
    return hosts.map((_, nth) => ({ port: hosts[(nth + turn) % hosts.length]?.port ?? 0 }));
  };
  const proxy = await chaosProxy({ target });
  const deploys = startDeploys({ hosts, living, everyMs: deployEveryMs });
  const report = emptyReport();
  const judging: Promise<void>[] = [];
  const begunAt = performance.now();
  try {
    for (let nth = 1; performance.now() - begunAt < minutes * 60_000; nth += 1) {
      const { url: baseUrl } = proxy;
      const cohort = startCohort({
        nth,
        baseUrl,
        random: random.for(`cohort ${nth}`),
        clients,
        forMs: cohortMs,
        settleMs: SETTLE_MS,
        leaseMs: LEASE_MS,
      });
      living.add(cohort);
      judging.push(
        judged(cohort, report).finally(() => {
          living.delete(cohort);
        }),
      );
      await cohort.begun;
      const life = await deploys.look(async (current) => {
        const measure = await hosts[0]?.measure();
        if (measure) note(report, measure, current, (performance.now() - begunAt) / 60_000);
        return current;
      });
      say(lineOf(report, nth, life, deploys.count()));
    }
    await deploys.stop();
    await Promise.all(judging);
    report.totals.deploys = deploys.count();
    return report;
  } finally {
    await deploys.stop();
    await proxy.close();
    await Promise.all(hosts.map((host) => host.kill()));
    await stored.stop();
    await program.remove();
  }
}

/** New versions of the last host, every second time without grace. Whoever looks at the hosts waits for a deploy that is under way, and it for him. */
function startDeploys({ hosts, living, everyMs }: { hosts: readonly SoakHost[]; living: ReadonlySet<Cohort>; everyMs: number }) {
  const nth = hosts.length - 1;
  const host = hosts[nth];
  let count = 0;
  let isOver = false;
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const mine = turn.then(act);
    turn = mine.catch(() => undefined);
    return mine;
  };
  const works = () => [...living].map(({ work }) => work);
  async function deploy(): Promise<void> {
    if (!host || isOver) return;
    for (const work of works()) work.closes(nth);
    await (count % 2 === 0 ? host.close() : host.kill());
    for (const work of works()) work.gone(nth);
    await host.restart();
    count += 1;
  }
  const timer = setInterval(() => void inTurn(deploy), everyMs);
  return {
    count: () => count,
    /** Looks at the first host, and says which of its lives it is. */
    look: <T>(act: (life: number) => Promise<T>): Promise<T> => inTurn(() => act(nth === 0 ? count : 0)),
    async stop(): Promise<void> {
      isOver = true;
      clearInterval(timer);
      await turn;
    },
  };
}

interface OpenReport extends SoakReport {
  readonly counts: Record<FaultKind, number>;
  readonly lines: string[];
  readonly looks: Record<keyof HostMeasure, TrendSample[]>;
}

function emptyReport(): OpenReport {
  return {
    counts: {} as Record<FaultKind, number>,
    lines: [],
    looks: { heapBytes: [], rssBytes: [], descriptors: [], sockets: [], timers: [] },
    totals: { tasks: 0, appended: 0, delivered: 0, actions: 0, owners: 0, lives: 0, deploys: 0 },
  };
}

async function judged({ record, checked }: Cohort, { counts, lines, totals }: OpenReport): Promise<void> {
  const found = await checked.catch((error: unknown) => String(error));
  if (typeof found === 'string') {
    // An hour goes on without what this one would have told.
    counts.faults = (counts.faults ?? 0) + 1;
    lines.push(`faults: a cohort could not be judged: ${found}`);
    return;
  }
  for (const [kind, count] of Object.entries(found.counts) as [FaultKind, number][]) counts[kind] = (counts[kind] ?? 0) + count;
  lines.push(...found.lines);
  totals.tasks += found.tasks;
  totals.appended += found.appended;
  totals.delivered += delivered(record);
  totals.actions += record.actions.length;
  totals.lives += record.lives;
  totals.owners += new Set(record.creations.map(({ owner }) => owner)).size;
}

function note({ looks }: OpenReport, measure: HostMeasure, life: number, atMinutes: number): void {
  for (const name of Object.keys(looks) as (keyof HostMeasure)[]) looks[name].push({ life, atMinutes, value: measure[name] });
}

function lineOf({ looks, totals, lines }: OpenReport, nth: number, life: number, deploys: number): string {
  const last = (name: keyof HostMeasure): number => looks[name].at(-1)?.value ?? 0;
  const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
  return (
    `${String(nth).padStart(4)}  heap ${mib(last('heapBytes'))} MiB, rss ${mib(last('rssBytes'))} MiB, ${last('descriptors')} descriptors, ` +
    `${last('sockets')} sockets, ${last('timers')} timers (life ${life + 1}); ${deploys} deploys; judged: ${totals.tasks} tasks of ${totals.owners} owners, ` +
    `${totals.appended} facts, ${totals.delivered} delivered, ${lines.length} wrong`
  );
}
