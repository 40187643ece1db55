import { createInterface } from 'node:readline/promises';
import type { ReadStream, WriteStream } from 'node:tty';

/** Where the demo shows itself: lines that stay, above a few that change. */
export interface Screen {
  /** True where a person watches and can answer. */
  readonly interactive: boolean;
  /** True where lines can be redrawn in place. */
  readonly redraws: boolean;
  line(text: string): void;
  /** Replaces the lines at the bottom; a log file gets none of them. */
  status(lines: readonly string[]): void;
  /** Asks the person; only where `interactive`. */
  ask(prompt: string, signal: AbortSignal): Promise<string>;
  close(): void;
}

/** Paints text for a terminal; leaves it alone elsewhere. */
export type Paint = (text: string, colour: keyof typeof colours) => string;

const colours = { dim: 2, bold: 1, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
const ESCAPE = '\u001b[';
const COLOUR = new RegExp(`${ESCAPE.replace('[', '\\[')}(\\d+)m`);

/** A screen on standard output: redrawn in place on a terminal, plain lines otherwise. */
export function openScreen(
  output: WriteStream = process.stdout,
  input: ReadStream = process.stdin,
  environment: NodeJS.ProcessEnv = process.env,
): { readonly screen: Screen; readonly paint: Paint } {
  const isTerminal = output.isTTY && environment['TERM'] !== 'dumb';
  const coloured = isTerminal && !environment['NO_COLOR'];
  const paint: Paint = (text, colour) => (coloured ? `${ESCAPE}${colours[colour]}m${text}${ESCAPE}0m` : text);
  return { screen: isTerminal ? terminal(output, input) : plain(output), paint };
}

function plain(output: WriteStream): Screen {
  return {
    interactive: false,
    redraws: false,
    line: (text) => output.write(`${text}\n`),
    status: () => {},
    ask: () => Promise.reject(new Error('Nobody is there to be asked.')),
    close: () => {},
  };
}

function terminal(output: WriteStream, input: ReadStream): Screen {
  let shown: readonly string[] = [];
  let asking = false;
  const clear = () => (shown.length > 0 ? `${ESCAPE}${shown.length}F${ESCAPE}J` : '');
  const draw = (before: string, status: readonly string[]) => {
    const lines = status.map((line) => cut(line, output.columns || 80));
    output.write(`${clear()}${before}${lines.map((line) => `${line}\n`).join('')}`);
    shown = lines;
  };
  const held: string[] = [];
  return {
    interactive: input.isTTY,
    redraws: true,
    line(text) {
      if (asking) held.push(text);
      else draw(`${text}\n`, shown);
    },
    status(lines) {
      if (!asking && lines.join('\n') !== shown.join('\n')) draw('', lines);
    },
    async ask(prompt, signal) {
      // The person's line belongs to readline: nothing else is written until it is done.
      draw('', []);
      asking = true;
      const reader = createInterface({ input, output });
      // Readline keeps Ctrl-C to itself while it reads.
      reader.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      try {
        return await reader.question(prompt, { signal });
      } finally {
        reader.close();
        asking = false;
        for (const text of held.splice(0)) draw(`${text}\n`, shown);
      }
    },
    close: () => draw('', []),
  };
}

/** Cuts a line to a width, colours aside, so that it never wraps: a wrapped line would be cleared by half. */
function cut(line: string, columns: number): string {
  let width = 0;
  let out = '';
  for (const [index, part] of line.split(COLOUR).entries()) {
    // What was split by stands at the odd places.
    if (index % 2 === 1) out += `${ESCAPE}${part}m`;
    else {
      const room = Math.max(0, columns - 1 - width);
      out += [...part].slice(0, room).join('');
      width += Math.min([...part].length, room);
    }
  }
  return out;
}
