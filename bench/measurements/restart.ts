import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RestartedName } from '../processes/bench-processes.ts';
import type { Row } from '../results/row.ts';
import { fillBare, fillOurs } from '../systems/stored-tasks.ts';
import type { Bench } from './bench.ts';
import { readable } from '../results/markdown.ts';

/** Tasks that are queued, suspended and ended; a third of each. */
const TASKS = 100_000;
/** What is stored does not keep a host from listening. */
const FLAT = 1.5;

/** A host on LMDB that is started where another one left many tasks: until it listens, and until it has worked them off. */
export async function restart(bench: Bench): Promise<readonly Row[]> {
  const each = Math.floor((bench.quick ? TASKS / 10 : TASKS) / 3);
  const folder = await mkdtemp(join(tmpdir(), 'taskbridge-bench-'));
  const [full, bare] = [join(folder, 'full'), join(folder, 'bare')];
  try {
    await fillOurs(full, each);
    await fillBare(bare, 2 * each);
    const figures = {
      empty: [] as number[],
      ours: [] as number[],
      bare: [] as number[],
      oursRate: [] as number[],
      bareRate: [] as number[],
    };
    const rounds = bench.quick ? 1 : 3;
    for (let round = 0; round < rounds; round += 1) {
      const run = async (name: RestartedName, from: string | undefined, count: number) => {
        const path = join(folder, 'run');
        await rm(path, { recursive: true, force: true });
        if (from !== undefined) await cp(from, path, { recursive: true });
        const system = await bench.restarted(name, path, String(count));
        const listened = await system.orders.ask('listenedMs', null);
        const workedOff = await system.orders.ask('workedOffMs', null);
        await system.end();
        return { listened, rate: (2 * each) / ((workedOff - listened) / 1000) };
      };
      const [empty, ours, theirs] = [
        await run('lmdbHost', undefined, 0),
        await run('lmdbHost', full, each),
        await run('bareLmdb', bare, each),
      ];
      figures.empty.push(empty.listened);
      figures.ours.push(ours.listened);
      figures.bare.push(theirs.listened);
      figures.oursRate.push(ours.rate);
      figures.bareRate.push(theirs.rate);
      bench.say(
        `restart, round ${round + 1} of ${rounds}: ${readable(ours.listened)} ms (empty ${readable(empty.listened)}), ${readable(ours.rate)} tasks/s (bare ${readable(theirs.rate)})`,
      );
    }
    const count = 3 * each;
    return [
      { name: 'nothing left, until it listens', unit: 'ms', figures: { ours: figures.empty } },
      {
        name: `${count} tasks left, until it listens`,
        unit: 'ms',
        figures: { ours: figures.ours, bareLmdb: figures.bare, first: figures.empty },
        bars: [{ against: 'first', atMost: FLAT }],
      },
      { name: `${2 * each} of them run or ask again`, unit: 'tasks/s', figures: { ours: figures.oursRate, bareLmdb: figures.bareRate } },
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
