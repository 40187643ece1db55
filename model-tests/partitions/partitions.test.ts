import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { patience } from '../support/patience.ts';
import { cutKinds } from './cuts.ts';

/** Which work ran where is judged only where no master is given up: that is a run of its own. */
const runs = [cutKinds.filter((kind) => kind !== 'master | replica'), ['master | replica']] as const;

/** `TIMES=30 npx vitest run model-tests/partitions/partitions` for a long one; `npm run partitions` says more while it runs. */
const TIMES = Number(process.env['TIMES'] ?? 1);
const SEED = Number(process.env['SEED'] ?? 7);
const program = fileURLToPath(new URL('children/run.ts', import.meta.url));

// In a process of its own: it goes into namespaces, and so does all that it starts. Where it cannot, it fails and says so.
it.each(runs.map((kinds) => [kinds.join(', '), kinds] as const))(
  `loses nothing beyond what reset tells, accepts nothing twice and shows one history while each of %s is cut ${TIMES} times (SEED=${SEED})`,
  { timeout: TIMES * patience(120_000) + patience(120_000) },
  async (_names, kinds) => {
    const args = ['--import', 'tsx', program, '--times', TIMES, '--seed', SEED, '--clients', 8, '--only', kinds.join()].map(String);
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += String(chunk)));
    const [code] = (await once(child, 'close')) as [number];
    expect(code, said).toBe(0);
    for (const kind of kinds) expect(said).toContain(`${kind} ${TIMES}`);
    expect(said).toMatch(/[1-9]\d* actions: .*ACCEPTED [1-9]/);
  },
);
