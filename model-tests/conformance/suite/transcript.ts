import { AsyncLocalStorage } from 'node:async_hooks';

const LINES_MAX = 14;
const CHARS_MAX = 300;

interface Line {
  readonly text: string;
  times: number;
}

const running = new AsyncLocalStorage<Line[]>();

/** Takes down what goes over the wire. */
export type TranscriptWriter = (line: string) => void;

/**
 * The transcript of the case that runs here; of nobody where none does. What is called back later (a socket's events) has to get its transcript when it
 * is set up, since callbacks do not always know their case.
 */
export function transcriptWriter(): TranscriptWriter {
  const lines = running.getStore();
  return (line) => {
    if (!lines) return;
    const text = line.length > CHARS_MAX ? `${line.slice(0, CHARS_MAX)} … (${line.length} characters)` : line;
    // A question that is asked until its answer is another one is the same few lines, again and again.
    const again = lines.slice(-4).find((one) => one.text === text);
    if (again) again.times += 1;
    else lines.push({ text, times: 1 });
    if (lines.length > LINES_MAX) lines.shift();
  };
}

/** Runs something with a transcript of its own; `read` gives the lines that were taken down last. */
export function withTranscript<T>(run: (read: () => readonly string[]) => Promise<T>): Promise<T> {
  const lines: Line[] = [];
  const read = (): string[] => lines.map(({ text, times }) => (times === 1 ? text : `${text} (${times} times)`));
  return running.run(lines, () => run(read));
}
