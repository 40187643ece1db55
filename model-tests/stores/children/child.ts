import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program of this folder that runs in a process of its own. */
export interface Child {
  readonly pid: number;
  /** The next line that it prints; rejects where it ends without. */
  nextLine(): Promise<string>;
  /** Kills it without a warning, and gives the lines that nobody asked for. */
  killHard(): Promise<string[]>;
}

/** Starts `<name>.ts` of this folder. */
export function startChild(name: string, ...args: string[]): Child {
  const file = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if (child.pid === undefined) throw new Error(`The child ${name} did not start.`);

  return {
    pid: child.pid,
    async nextLine() {
      const line = await lines.next();
      if (line.done) throw new Error(`The child ${name} ended before it printed a line.`);
      return line.value;
    },
    async killHard() {
      child.kill('SIGKILL');
      const rest: string[] = [];
      for (let line = await lines.next(); !line.done; line = await lines.next()) rest.push(line.value);
      await ended;
      return rest;
    },
  };
}
