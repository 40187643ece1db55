import type { Job, Row } from './job.ts';
import type { State } from './state.ts';
import { WorkFile } from './work-file.ts';

type Draft<T> = T extends readonly (infer E)[] ? readonly Draft<E>[] : T extends object ? { -readonly [K in keyof T]: Draft<T[K]> } : T;

/** The two passes over the file, by what each writes: the keys of the good rows, then the cleaned file. */
const passes = {
  keys: { stage: 'reading', base: 0 },
  cleaned: { stage: 'writing', base: 50 },
} as const;

/**
 * One pass over the file, chunk by chunk. What the chunk writes is on the disk before the chunk is committed; what it tells, how far it
 * got and what a later run has to know are committed together.
 */
export class Pass {
  /** The state as it is after the last row; saved at the end of the chunk. */
  readonly draft: Draft<State>;
  readonly #job: Job;
  readonly #product: keyof typeof passes;
  readonly #file: WorkFile;
  #chunkBegan: number;
  #told: { readonly text: string; readonly level: 'info' | 'warning' }[] = [];

  private constructor(job: Job, from: State, product: keyof typeof passes, file: WorkFile) {
    this.#job = job;
    this.#product = product;
    this.#file = file;
    this.#chunkBegan = from.place.offset;
    this.draft = structuredClone(from) as Draft<State>;
  }

  static async begin(job: Job, from: State, product: keyof typeof passes): Promise<Pass> {
    return new Pass(job, from, product, await WorkFile.open(job.workDirectory, product, job.task.attempt, from[product]));
  }

  /** Adds to what the pass writes. */
  write(part: string | Uint8Array): void {
    this.#file.write(part);
  }

  /** Adds a message to the chunk's report. */
  tell(text: string, level: 'info' | 'warning' = 'info'): void {
    this.#told.push({ text, level });
  }

  /** Leaves a row behind, and ends the chunk where it is long enough. */
  async past(row: Row): Promise<void> {
    this.draft.place = row.next;
    if (row.next.offset - this.#chunkBegan >= this.#job.chunkBytes) await this.settle();
  }

  /** Ends the pass with its last chunk: whatever follows the last row was read too. */
  async end(phase: State['phase']): Promise<State> {
    this.draft.phase = phase;
    this.draft.place.offset = this.#job.source.bytes;
    return this.settle();
  }

  /** Ends a chunk: resolves when it is committed and a paced run may go on. */
  async settle(): Promise<State> {
    const { task, source } = this.#job;
    this.draft[this.#product] = await this.#file.settle();
    const state = structuredClone(this.draft) as State;
    const { stage, base } = passes[this.#product];
    const share = source.bytes === 0 ? 1 : state.place.offset / source.bytes;
    const bytes = state.place.offset - this.#chunkBegan;
    const told = this.#told;
    this.#chunkBegan = state.place.offset;
    this.#told = [];
    // One synchronous turn, one commit.
    const reports = told.map(({ text, level }) => task.message(text, level));
    if (bytes > 0) reports.push(task.progress(round(base + share * 50), { stage, message: `${state.place.line - 1} lines` }));
    await Promise.all([...reports, task.save(state)]);
    await this.#job.pause(bytes);
    return state;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
