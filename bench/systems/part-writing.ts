/** How much is written at once. */
export interface PartLoad {
  /** Parts that are written side by side, each one write after the other. */
  readonly parts: number;
  /** Tokens of one write. */
  readonly tokens: number;
  readonly ms: number;
}

/** What came of it. */
export interface PartResult {
  readonly tokens: number;
  readonly ms: number;
}

/** What a system can be told that keeps text which grows. */
export interface PartSystem {
  /** Adds tokens to texts beside the log as fast as it can for a while. */
  flush(load: PartLoad): Promise<PartResult>;
  /** The same with a fact for each token. */
  facts(load: PartLoad): Promise<PartResult>;
  /** Processor time that the process has used, in microseconds. */
  cpu(nothing: null): number;
}

/** Five bytes: about what a model says at once. */
export const TOKEN_TEXT = 'word ';
