/** What a system can be told that was started on a folder with tasks in it. */
export interface RestartedSystem {
  /** From its first line until it listened, in milliseconds. */
  listenedMs(nothing: null): number;
  /** From its first line until all that waits has run, and all that asks asks again. */
  workedOffMs(nothing: null): Promise<number>;
}
