import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startHostProcess, type HostStats } from '../hostile/attacks/host-process.ts';
import { patience } from '../support/patience.ts';

/** What no client should meet: a fault of the server's, silence, or a host that is not well afterwards. */
export interface Finding {
  readonly door: string;
  readonly answer: string;
  readonly bytes: number;
  /** What was sent, the first 4000 bytes of it, in base64. */
  readonly data: string;
}

/** A run of the fuzzer. */
export interface FuzzRun {
  readonly findings: readonly Finding[];
  readonly sent: number;
  /** How often which status came; `end` where the connection was ended without one. */
  readonly answers: Readonly<Record<string, number>>;
  /** What each door answers to a request of its grammar as it stands. */
  readonly plain: Readonly<Record<string, string>>;
  /** How the host stood at the end. */
  readonly stats: HostStats;
}

/** The fuzzer's own Python, where `scripts/setup.sh fuzzer` put it. */
const python = fileURLToPath(new URL('../../.data/fuzzer/bin/python', import.meta.url));

/** Fuzzes every door of a host in a process of its own for a while. */
export async function fuzz(seconds: number, seed: number): Promise<FuzzRun> {
  if (!existsSync(python)) throw new Error(`There is no fuzzer at ${python}: run sh scripts/setup.sh fuzzer.`);
  const host = await startHostProcess({ headersTimeoutMs: 2000, requestTimeoutMs: 2000, subscribeMs: 1000, drainMs: 1000 });
  try {
    const doors = fileURLToPath(new URL('children/doors.py', import.meta.url));
    const env = { ...process.env, FUZZ_PATIENCE_S: String(patience(20_000) / 1000) };
    const child = spawn(python, [doors, String(host.port), 'fuzzer', String(seconds), String(seed)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    const lines = said
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Finding | Omit<FuzzRun, 'findings' | 'stats'>);
    const findings = lines.filter((line): line is Finding => 'door' in line);
    const summary = lines.find((line): line is Omit<FuzzRun, 'findings' | 'stats'> => 'sent' in line);
    if (code !== 0 || (!summary && findings.length === 0)) throw new Error(`The fuzzer ended with ${code}.`);
    return { findings, ...(summary ?? { sent: 0, answers: {}, plain: {} }), stats: await host.stats('collect') };
  } finally {
    await host.stop();
  }
}
