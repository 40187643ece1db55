/** Runs every test that walks a chart, at every level, and prints what each has covered. Fails where one of them does. */
import { spawn } from 'node:child_process';

const tests = [
  'model-tests/charts',
  'model-tests/outbox/chart.test.ts',
  'model-tests/tabs/chart.test.ts',
  'model-tests/client/transport-paths.test.ts',
  'model-tests/client/transport-simple-paths.test.ts',
  'model-tests/client/driven-paths.test.ts',
  'model-tests/client/closing.test.ts',
  'model-tests/levels',
];

// One file after the other: several at once only wait for each other on few cores.
const child = spawn('npx', ['vitest', 'run', '--no-file-parallelism', ...tests], { stdio: ['ignore', 'pipe', 'inherit'] });
let output = '';
child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
child.on('close', (code) => {
  const charts = ['task', 'suspension', 'attempt', 'transport', 'outbox', 'entry', 'tab'];
  const rows = output.split('\n').filter((line) => charts.some((name) => line.startsWith(`${name} · `)));
  process.stdout.write(code === 0 ? `${rows.join('\n')}\n` : output);
  process.exitCode = code ?? 1;
});
