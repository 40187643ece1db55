import type {
  AppendingProcess,
  BareQueueProcess,
  CreatingPlace,
  CreatingProcess,
  LoadProcess,
  PartProcess,
  OwnProcess,
  SystemName,
  SystemProcess,
  TemporalProcess,
  TokenProcess,
  WorkPlace,
  WorkProcess,
} from '../processes/bench-processes.ts';
import type { startChromium } from '../processes/browser-page.ts';
import type { RedisServer } from '../processes/redis-server.ts';
import { readable } from '../results/markdown.ts';
import type { Figures, Row } from '../results/row.ts';

/** What a measurement is given. */
export interface Bench {
  readonly redis: RedisServer;
  /** True where figures may be rough. */
  readonly quick: boolean;
  /** How often each is measured: as often as the command line says, else as usual, or a few times where figures may be rough. */
  rounds(usual: number, rough: number): number;
  /** Those of them that are measured in this run: the original's server cannot always be had, and a check measures ours alone. */
  who<N extends SystemName>(...names: readonly N[]): readonly N[];
  /** True for rows that were asked for. */
  wants(row: string): boolean;
  system(name: SystemName, ...more: string[]): Promise<SystemProcess>;
  /** A node of ours, of as many as there are started, on Redis or on a folder of LMDB. */
  node(path?: string): Promise<OwnProcess>;
  /** Writes to a folder of LMDB. */
  bareAppends(path: string): Promise<AppendingProcess>;
  workHost(place: Pick<WorkPlace, 'path' | 'left' | 'slots'>): Promise<WorkProcess>;
  creating(who: 'ours' | 'bareHttp', place: Pick<CreatingPlace, 'store' | 'path'>): Promise<CreatingProcess>;
  bareQueue(path: string): Promise<BareQueueProcess>;
  parts(who: 'ours' | 'bareWs'): Promise<PartProcess>;
  tokens(who: 'ours' | 'bareWs'): Promise<TokenProcess>;
  /** A host and a worker of Temporal; undefined where there is no server for them. */
  temporal(): Promise<TemporalProcess | undefined>;
  load(): Promise<LoadProcess>;
  /** Opens pages in a browser. */
  chromium(): ReturnType<typeof startChromium>;
  /** A line of progress. */
  say(text: string): void;
}

/** Measures, and gives the rows. */
export type Measurement = (bench: Bench) => Promise<readonly Row[]>;

/** One who is measured, and how often where that is less than the others. */
export interface Measured {
  readonly roundsMax?: number;
  measure(): Promise<number>;
}

/** Others may lose facts, or give up; that is said, and they are left out. */
const mayFail: readonly SystemName[] = ['socketIo', 'original'];

/** Takes turns: ours, the next, ours, the next. */
export async function alternate(
  bench: Bench,
  what: string,
  rounds: number,
  measured: Partial<Record<SystemName, Measured>>,
): Promise<Figures> {
  const figures: Partial<Record<SystemName, number[]>> = {};
  const out = new Set<SystemName>();
  for (let round = 0; round < rounds; round += 1) {
    const said: string[] = [];
    for (const [name, { measure, roundsMax = rounds }] of Object.entries(measured) as [SystemName, Measured][]) {
      if (round >= roundsMax || out.has(name)) continue;
      try {
        const figure = await measure();
        (figures[name] ??= []).push(figure);
        said.push(`${name} ${readable(figure)}`);
      } catch (error) {
        const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
        if (!mayFail.includes(name)) throw new Error(`${what}: ${name}: ${reason}`, { cause: error });
        out.add(name);
        said.push(`${name.toUpperCase()} FAILED (${reason})`);
      }
    }
    bench.say(`${what}, round ${round + 1} of ${rounds}: ${said.join(', ')}`);
  }
  return figures;
}
