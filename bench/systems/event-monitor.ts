import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as rest } from 'node:timers/promises';
import { cpuMicroseconds } from './own-process.ts';
import type { Stretch } from './work-system.ts';

/** A look each 5 ms is 1 to 2 % of a core by itself, as much as what is measured. */
const RESOLUTION_MS = 20;

/** Sees how long the event loop of this process stands, from now on. */
export class EventLoopMonitor {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#delays.enable();
  }

  /** The longest time since the last `reset`, in milliseconds. What Node measures holds the watch's own interval. */
  get stallMs(): number {
    return Math.max(0, this.#delays.max / 1e6 - RESOLUTION_MS);
  }

  reset(): void {
    this.#delays.reset();
  }

  /** Watches for so many milliseconds. */
  async stretch(ms: number): Promise<Stretch> {
    this.reset();
    const [cpu, begun] = [cpuMicroseconds(), performance.now()];
    await rest(ms);
    const corePercent = (cpuMicroseconds() - cpu) / (performance.now() - begun) / 10;
    return { stallMs: this.stallMs, corePercent };
  }
}
