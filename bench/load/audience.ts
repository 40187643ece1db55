import type { BenchedSystem } from '../systems/system.ts';
import { TOKEN } from '../systems/system.ts';
import { RpcClient } from '../rpc/client.ts';
import { dialects } from './dialects.ts';
import type { Audience, BurstResult, PacedResult } from './load.ts';
import { FactCounter, PART_FRAME, TimeReader } from './fact-scanner.ts';
import { Viewer } from './viewer.ts';

const OPENING_AT_ONCE = 50;
/** So long may nothing arrive before a measurement is given up, in milliseconds. */
const SILENCE_MS = 20_000;

/** Many viewers of one system, and the orders that make it report. */
export class OpenAudience {
  readonly #viewers: readonly Viewer[];
  readonly #system: RpcClient<BenchedSystem>;
  readonly #taskId: string;
  #latencies: number[] = [];
  #frames = 0;

  private constructor(viewers: readonly Viewer[], system: RpcClient<BenchedSystem>, taskId: string) {
    this.#viewers = viewers;
    this.#system = system;
    this.#taskId = taskId;
  }

  static async open({ dialect, port, control, tasks, viewers: count, cursor = '' }: Audience): Promise<OpenAudience> {
    const system = await RpcClient.connect<BenchedSystem>(control);
    const viewers = Array.from({ length: count }, () => new Viewer());
    for (let from = 0; from < count; from += OPENING_AT_ONCE) {
      const group = viewers.slice(from, from + OPENING_AT_ONCE);
      await Promise.all(
        group.map((viewer, i) => {
          const taskId = tasks[(from + i) % tasks.length] ?? '';
          return viewer.open(port, dialects[dialect], { taskId, token: TOKEN, cursor });
        }),
      );
    }
    return new OpenAudience(viewers, system, tasks[0] ?? '');
  }

  async burst(window: number, ms: number): Promise<BurstResult> {
    const half = window / 2;
    const viewers = this.#viewers.length;
    /** How many viewers have had the nth fact. */
    const arrivals: number[] = [];
    let sent = 0;
    let everywhere = 0;
    let done: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (done = resolve));
    const more = (): void => {
      sent += half;
      this.#system.tell('publish', { taskId: this.#taskId, count: half });
    };
    const cpuBefore = await this.#system.ask('cpu', null);
    const begun = performance.now();
    const end = begun + ms;
    for (const viewer of this.#viewers) {
      const counter = new FactCounter();
      let had = 0;
      viewer.onBytes = (bytes) => {
        for (let left = counter.count(bytes); left > 0; left -= 1) {
          const arrived = (arrivals[had] ?? 0) + 1;
          arrivals[had] = arrived;
          had += 1;
          if (arrived === viewers) everywhere = had;
        }
        while (sent - everywhere <= half && performance.now() < end) more();
        if (everywhere === sent) done();
      };
    }
    more();
    more();
    const watchdog = this.#giveUpWhenSilent(() => everywhere);
    await Promise.race([finished, watchdog.silence]);
    watchdog.stop();
    const took = performance.now() - begun;
    return { messages: sent * viewers, ms: took, cpuUs: (await this.#system.ask('cpu', null)) - cpuBefore };
  }

  async paced(perSecond: number, ms: number): Promise<PacedResult> {
    this.listen();
    const total = Math.round((perSecond * ms) / 1000);
    const expected = total * this.#viewers.length;
    const begun = performance.now();
    let sent = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        while (sent < total && performance.now() - begun >= (sent * 1000) / perSecond) {
          sent += 1;
          this.#system.tell('publish', { taskId: this.#taskId, count: 1, at: String(process.hrtime.bigint()) });
        }
        if (sent < total) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
    return this.heard(expected);
  }

  /** From now on, what says when it was said is timed. */
  listen(): void {
    const latencies: number[] = [];
    this.#latencies = latencies;
    this.#frames = 0;
    for (const viewer of this.#viewers) {
      const reader = new TimeReader();
      const counter = new FactCounter(PART_FRAME);
      viewer.onBytes = (bytes) => {
        const now = process.hrtime.bigint();
        this.#frames += counter.count(bytes);
        for (const at of reader.times(bytes)) latencies.push(Number(now - at) / 1e6);
      };
    }
  }

  /** Waits until so many have come since `listen`. */
  async heard(expected: number): Promise<PacedResult> {
    const latencies = this.#latencies;
    const watchdog = this.#giveUpWhenSilent(() => latencies.length);
    const complete = new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (latencies.length < expected) return;
        clearInterval(timer);
        resolve();
      }, 5);
    });
    await Promise.race([complete, watchdog.silence]);
    watchdog.stop();
    latencies.sort((a, b) => a - b);
    const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99), received: latencies.length, expected, frames: this.#frames };
  }

  close(): void {
    for (const viewer of this.#viewers) viewer.close();
    this.#system.close();
  }

  #giveUpWhenSilent(progress: () => number): { readonly silence: Promise<never>; stop(): void } {
    let timer: NodeJS.Timeout | undefined;
    let before = -1;
    const silence = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        const now = progress();
        const lost = this.#viewers.filter(({ closed }) => closed).length;
        if (now === before) reject(new Error(`Nothing arrived for ${SILENCE_MS} ms; ${lost} of ${this.#viewers.length} viewers were cut.`));
        before = now;
      }, SILENCE_MS);
    });
    return { silence, stop: () => clearInterval(timer) };
  }
}
